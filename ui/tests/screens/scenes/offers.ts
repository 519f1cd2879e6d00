import { BackendError } from "../../../src/backend/error";
import type { FakeBackend } from "../../support/fake-backend";
import { error } from "../../support/views";
import type { Hands } from "../hands";
import { of, type Scenes } from "./scene";

async function openResources({ press, find }: Hands): Promise<void> {
  await press("tab-resources");
  await find("resource-search");
}

function withoutResources(): FakeBackend {
  const backend = of();
  backend.resources = [];
  return backend;
}

export const offerScenes: Scenes = {
  resources: { backend: () => of(), act: openResources },
  "resources-none": {
    backend: withoutResources,
    act: async ({ press, find }) => {
      await press("tab-resources");
      await find("resources-none");
    },
  },
  "resources-failed": {
    backend: () =>
      of().respond(
        "serverResources",
        new BackendError(error("server_unreachable", "mcp.notion.com did not respond in time.")),
      ),
    act: async ({ press, find }) => {
      await press("tab-resources");
      await find("error");
    },
  },
  "resource-dialog": {
    backend: () => of(),
    act: async ({ press, find }) => {
      await press("tab-resources");
      await press("resource-holiday-plans");
      await find("resource-copy");
    },
  },
  prompts: {
    backend: () => of(),
    act: async ({ press, find }) => {
      await press("tab-prompts");
      await find("prompt-search");
    },
  },
  "prompt-dialog": {
    backend: () => of(),
    act: async ({ press, find }) => {
      await press("tab-prompts");
      await press("prompt-summarise_page");
      await find("prompt-arguments");
    },
  },
};
