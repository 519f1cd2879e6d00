import { config } from "../../support/views";
import { of, type Scenes } from "./scene";

export const settingsScenes: Scenes = {
  settings: {
    backend: () =>
      of(
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
      const backend = of({}, { paused: true });
      backend.changeDesktop({ tray: "no_host", notifications: "plain", autostart: "unavailable" });
      return backend;
    },
    act: async ({ press, find }) => {
      await press("settings");
      await find("desktop-parts");
    },
  },
};
