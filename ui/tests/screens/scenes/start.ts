import { config, error } from "../../support/views";
import { type Scenes, withServices } from "./scene";

/** The start, secret store errors, and messages above the page. */
export const startScenes: Scenes = {
  opening: {
    backend: () => withServices({}).hang("snapshot"),
    act: async ({ find }) => void (await find("opening")),
  },
  "start-failed": {
    backend: () =>
      withServices({}).fail("snapshot", error("internal", "Another Usher is running.", {
            hint: "Quit the other one, then try again.",
            details: "engine.lock is held by process 4711",
          })),
  },
  "command-running": {
    backend: () =>
      withServices({}).fail("snapshot", error("engine_busy", "The usher command is running.", {
            hint: "Usher continues when the command finishes.",
            details: "engine.lock is held by process 4711",
          })),
  },
  notice: {
    backend: () =>
      withServices({}).fail("startLink", error("authorization_expired", "The link that opened Usher belongs to no sign-in.", {
            hint: "Start the sign-in again here.",
          })),
    act: async ({ find }) => void (await find("notice")),
  },
  "keychain-missing": {
    backend: () =>
      withServices(
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
      withServices(
        {},
        {
          secret_store: {
            kind: "keychain",
            error: error("keychain_locked", "The keychain is locked: the unlock prompt was dismissed.", {
              hint: "Unlock your keychain, then try again.",
            }),
          },
        },
      ),
  },
  "memory-only": { backend: () => withServices({}, { secret_store: { kind: "memory" } }) },
  "config-broken": {
    backend: () =>
      withServices(
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
