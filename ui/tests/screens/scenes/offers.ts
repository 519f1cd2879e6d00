import type { FakeBackend } from "../../support/fake-backend";
import { error } from "../../support/views";
import type { Actions } from "../actions";
import { type Scenes, withServices } from "./scene";

async function openResources({ press, find }: Actions): Promise<void> {
  await press("tab-resources");
  await find("resource-search");
}

function withoutResources(): FakeBackend {
  const backend = withServices();
  backend.resources = [];
  return backend;
}

export const offerScenes: Scenes = {
  resources: { backend: () => withServices(), act: openResources },
  "resources-none": {
    backend: withoutResources,
    act: async ({ press, find }) => {
      await press("tab-resources");
      await find("resources-none");
    },
  },
  "resources-failed": {
    backend: () =>
      withServices().fail("serverResources", error("server_unreachable", "mcp.notion.com did not respond in time.")),
    act: async ({ press, find }) => {
      await press("tab-resources");
      await find("error");
    },
  },
  "resource-dialog": {
    backend: () => withServices(),
    act: async ({ press, find }) => {
      await press("tab-resources");
      await press("resource-holiday-plans");
      await find("resource-copy");
    },
  },
  prompts: {
    backend: () => withServices(),
    act: async ({ press, find }) => {
      await press("tab-prompts");
      await find("prompt-search");
    },
  },
  "prompt-dialog": {
    backend: () => withServices(),
    act: async ({ press, find }) => {
      await press("tab-prompts");
      await press("prompt-summarise_page");
      await find("prompt-arguments");
    },
  },
};
