import { error } from "../../support/views";
import type { Scenes } from "./scene";

const snapshot = { servers: [] };

export const galleryScenes: Scenes = {
  "gallery-first": { snapshot },
  "gallery-add": { press: ["add-service"] },
  "gallery-another-account": {
    prepare: (backend) => {
      const same_address = [{ server: "notion", name: "Notion", account: "ada@lovelace.example" }];
      backend.check = (check) => ({ ...check, draft: check.draft && { ...check.draft, same_address } });
    },
    press: ["add-service", "account-notion"],
    act: ({ type }) => type("account-label", "work"),
  },
  "gallery-nothing": { snapshot, act: ({ type }) => type("gallery-search", "mcp.example.com/mcp") },
  "gallery-error": {
    snapshot,
    prepare: (backend) =>
      backend.fail(
        "serverAdd",
        error("config_invalid", "Usher cannot change mcp.json while it has an error.", {
          hint: "Fix line 4 first.",
        }),
      ),
    press: ["connect-notion"],
  },
  "set-up": { press: ["add-service", "connect-slack", "client-id"] },
};
