import { Refusal } from "../../../src/backend/backend";
import { FakeBackend } from "../../support/fake-backend";
import { error } from "../../support/views";
import { of, type Scenes } from "./scene";

/** Adding a service. */
export const galleryScenes: Scenes = {
  "gallery-first": { backend: () => new FakeBackend({ servers: [] }) },
  "gallery-more": {
    backend: () => of({}),
    act: async ({ press }) => press("add-service"),
  },
  "gallery-nothing": {
    backend: () => new FakeBackend({ servers: [] }),
    act: async ({ type }) => type("gallery-search", "mcp.example.com/mcp"),
  },
  "gallery-refused": {
    backend: () =>
      new FakeBackend({ servers: [] }).answer(
        "serverAdd",
        new Refusal(
          error("config_invalid", "mcp.json cannot be written while it is broken.", {
            hint: "Repair line 4 first.",
          }),
        ),
      ),
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
    backend: () => of({}),
    act: async ({ press }) => {
      await press("add-service");
      await press("connect-slack");
      await press("client-id");
    },
  },
};
