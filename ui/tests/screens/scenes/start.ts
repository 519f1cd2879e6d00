import { Refusal } from "../../../src/backend/backend";
import { config, error } from "../../support/views";
import { of, type Scenes } from "./scene";

/** Before the first service is in sight: starting, keychain, what stands above everything. */
export const startScenes: Scenes = {
  opening: {
    backend: () => of({}).answer("snapshot", "never"),
    act: async ({ find }) => void (await find("opening")),
  },
  "start-failed": {
    backend: () =>
      of({}).answer(
        "snapshot",
        new Refusal(
          error("internal", "Another Usher of yours holds the lock.", {
            hint: "Close the other one, then try again.",
            details: "engine.lock is held by process 4711",
          }),
        ),
      ),
  },
  "start-waits": {
    backend: () =>
      of({}).answer(
        "snapshot",
        new Refusal(
          error("engine_busy", "An `usher` command is at work.", {
            hint: "Usher goes on here by itself as soon as the command has ended.",
            details: "Process 4711 holds the sign-ins.",
          }),
        ),
      ),
  },
  notice: {
    backend: () =>
      of({}).answer(
        "startLink",
        new Refusal(
          error("authorization_expired", "The link that opened Usher belongs to no sign-in.", {
            hint: "Start the sign-in here, and say yes in the browser again.",
          }),
        ),
      ),
    act: async ({ find }) => void (await find("notice")),
  },
  "keychain-missing": {
    backend: () =>
      of(
        {},
        {
          secret_store: {
            kind: "keychain",
            error: error(
              "keychain_unavailable",
              "The keychain is unavailable: no keyring is running in this session.",
              {
                hint: "Start a keyring such as gnome-keyring or KWallet, then try again. Or choose a private file as the secret store.",
              },
            ),
          },
        },
      ),
  },
  "keychain-locked": {
    backend: () =>
      of(
        {},
        {
          secret_store: {
            kind: "keychain",
            error: error(
              "keychain_locked",
              "The keychain is locked: the unlock prompt was dismissed.",
              { hint: "Unlock your keychain, then try again." },
            ),
          },
        },
      ),
  },
  "memory-only": { backend: () => of({}, { secret_store: { kind: "memory" } }) },
  "config-broken": {
    backend: () =>
      of(
        {},
        {
          config: {
            ...config,
            error: error("config_invalid", 'A comma is missing after "url".', {
              hint: "Put a comma at the end of the line above.",
            }),
            line: 4,
            column: 12,
          },
        },
      ),
  },
};
