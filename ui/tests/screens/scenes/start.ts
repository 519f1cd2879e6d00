import { config, error } from "../../support/views";
import type { Scenes } from "./scene";

/** The start, secret store errors, and messages above the page. */
export const startScenes: Scenes = {
  opening: { prepare: (backend) => backend.hang("snapshot"), find: "opening" },
  "start-failed": {
    prepare: (backend) =>
      backend.fail(
        "snapshot",
        error("internal", "Another Usher is running.", {
          hint: "Quit the other one, then try again.",
          details: "engine.lock is held by process 4711",
        }),
      ),
  },
  "command-running": {
    prepare: (backend) =>
      backend.fail(
        "snapshot",
        error("engine_busy", "The usher command is running.", {
          hint: "Usher continues when the command finishes.",
          details: "engine.lock is held by process 4711",
        }),
      ),
  },
  notice: {
    prepare: (backend) =>
      backend.fail(
        "startLink",
        error("authorization_expired", "The link that opened Usher belongs to no sign-in.", {
          hint: "Start the sign-in again here.",
        }),
      ),
    find: "notice",
  },
  "keychain-missing": {
    snapshot: {
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
  },
  "keychain-locked": {
    snapshot: {
      secret_store: {
        kind: "keychain",
        error: error("keychain_locked", "The keychain is locked: the unlock prompt was dismissed.", {
          hint: "Unlock your keychain, then try again.",
        }),
      },
    },
  },
  "memory-only": { snapshot: { secret_store: { kind: "memory" } } },
  "config-broken": {
    snapshot: {
      config: {
        ...config,
        error: error("config_invalid", 'A comma is missing after "url".', {
          hint: "Put a comma at the end of the line above.",
        }),
        line: 4,
        column: 12,
      },
    },
  },
};
