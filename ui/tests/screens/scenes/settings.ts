import { config } from "../../support/views";
import type { Scenes } from "./scene";

export const settingsScenes: Scenes = {
  settings: {
    snapshot: {
      config: { ...config, warnings: ["“corp”: “transport” is treated as “type”."] },
      secret_store: { kind: "file", path: "/home/ada/.local/state/usher/secrets.json", error: null },
    },
    press: ["settings"],
    find: "settings-page",
  },
  "settings-without-desktop": {
    snapshot: { paused: true },
    prepare: (backend) =>
      backend.changeDesktop({ tray: "no_host", notifications: "plain", autostart: "unavailable" }),
    press: ["settings"],
    find: "desktop-parts",
  },
};
