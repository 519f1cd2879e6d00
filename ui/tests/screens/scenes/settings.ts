import { config } from "../../support/views";
import { type Scenes, withServices } from "./scene";

export const settingsScenes: Scenes = {
  settings: {
    backend: () =>
      withServices(
        {},
        {
          config: { ...config, warnings: ["“corp”: “transport” is treated as “type”."] },
          secret_store: { kind: "file", path: "/home/ada/.local/state/usher/secrets.json", error: null },
        },
      ),
    act: async ({ press, find }) => {
      await press("settings");
      await find("settings-page");
    },
  },
  "settings-without-desktop": {
    backend: () => {
      const backend = withServices({}, { paused: true });
      backend.changeDesktop({ tray: "no_host", notifications: "plain", autostart: "unavailable" });
      return backend;
    },
    act: async ({ press, find }) => {
      await press("settings");
      await find("desktop-parts");
    },
  },
};
