import { secretList } from "../../support/secrets";
import { error } from "../../support/views";
import type { Scenes } from "./scene";

const press = ["settings", "secrets-open"];

export const secretsScenes: Scenes = {
  secrets: { press, find: "secrets-list-stored" },
  "secrets-empty": {
    prepare: (backend) => (backend.secretList = secretList({ secrets: [] })),
    press,
    find: "secrets-empty",
  },
  "secrets-unknown": {
    prepare: (backend) => (backend.secretList = secretList({ unknown_entries: ["corp", "files"] })),
    press,
    find: "secrets-unknown",
  },
  "secrets-error": {
    prepare: (backend) =>
      backend.fail(
        "secretDisallow",
        error("internal", "Usher could not store which services may get the secrets.", {
          hint: "Check that Usher's state folder is writable and that the disk is not full.",
        }),
      ),
    press: [...press, "secret-withdraw"],
    find: "error",
  },
  "secrets-add": {
    press: [...press, "secret-new"],
    act: async ({ type }) => {
      await type("secret-name", "weather_key");
      await type("secret-value", "not shown");
    },
  },
  "secrets-replace": { press: [...press, "secret-set-notion_key"], find: "secret-services" },
  "secrets-remove": { press: [...press, "secret-remove-notion_key"], find: "confirm" },
};
