import { error } from "../../support/views";
import type { Scenes } from "./scene";

export const offerScenes: Scenes = {
  resources: { press: ["tab-resources"], find: "resource-search" },
  "resources-none": {
    prepare: (backend) => (backend.resources = []),
    press: ["tab-resources"],
    find: "resources-none",
  },
  "resources-failed": {
    prepare: (backend) =>
      backend.fail("serverResources", error("server_unreachable", "mcp.notion.com did not respond in time.")),
    press: ["tab-resources"],
    find: "error",
  },
  "resource-dialog": { press: ["tab-resources", "resource-holiday-plans"], find: "resource-copy" },
  prompts: { press: ["tab-prompts"], find: "prompt-search" },
  "prompt-dialog": { press: ["tab-prompts", "prompt-summarise_page"], find: "prompt-arguments" },
};
