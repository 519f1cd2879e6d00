import { error } from "../../support/views";
import type { Scenes } from "./scene";

const snapshot = { servers: [] };

export const galleryScenes: Scenes = {
  "gallery-first": { snapshot },
  "gallery-add": { press: ["add-service"] },
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
