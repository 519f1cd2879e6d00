import { FakeBackend } from "../../support/fake-backend";
import { error } from "../../support/views";
import { type Scenes, withServices } from "./scene";

export const galleryScenes: Scenes = {
  "gallery-first": { backend: () => new FakeBackend({ servers: [] }) },
  "gallery-add": {
    backend: () => withServices({}),
    act: async ({ press }) => press("add-service"),
  },
  "gallery-nothing": {
    backend: () => new FakeBackend({ servers: [] }),
    act: async ({ type }) => type("gallery-search", "mcp.example.com/mcp"),
  },
  "gallery-error": {
    backend: () =>
      new FakeBackend({ servers: [] }).fail("serverAdd", error("config_invalid", "Usher cannot change mcp.json while it has an error.", {
            hint: "Fix line 4 first.",
          })),
    act: async ({ press }) => press("connect-notion"),
  },
  "add-by-address": {
    backend: () => new FakeBackend({ servers: [] }),
    act: async ({ press, type }) => {
      await press("add-server");
      await type("add-url", "https://mcp.example.com/mcp");
    },
  },
  "set-up": {
    backend: () => withServices({}),
    act: async ({ press }) => {
      await press("add-service");
      await press("connect-slack");
      await press("client-id");
    },
  },
};
