import { textView } from "../../support/mcp-json";
import { config, error } from "../../support/views";
import type { Actions } from "../actions";
import type { Scene, Scenes } from "./scene";

const press = ["settings", "config-edit"];

/** A change that Usher accepts, with a comment. */
function moved(text: string): string {
  return text.replace("mcp.notion.com", "mcp.notion.example").replace("for now", "for this week");
}

async function edit({ find, edit }: Actions, change: (text: string) => string): Promise<void> {
  await find("config-text");
  await edit("config-text", change);
}

/** Another program changes the file while the person edits it. */
const changed: NonNullable<Scene["act"]> = async (actions, backend) => {
  await edit(actions, moved);
  backend.file = textView(backend.file.text.replace("server-notes", "server-notes@2"));
  window.dispatchEvent(new Event("focus"));
  await actions.find("config-changed");
};

export const mcpJsonScenes: Scenes = {
  "mcp-json": { press, find: "config-hidden" },
  "mcp-json-error": {
    press,
    act: async (actions) => {
      await edit(actions, (text) => text.replace('"npx"', "oops"));
      await actions.find("config-problems");
    },
  },
  "mcp-json-search": {
    press,
    act: async ({ find }) => {
      const text = (await find("config-text")).querySelector(".cm-content");
      text?.dispatchEvent(new KeyboardEvent("keydown", { key: "f", ctrlKey: true, bubbles: true }));
      for (const field of document.querySelectorAll<HTMLInputElement>("[name=search]")) field.focus();
    },
  },
  "mcp-json-comparison": {
    press,
    act: async (actions) => {
      await edit(actions, (text) => moved(text).replace("linear.app/mcp", "linear.app/sse"));
      await actions.press("config-save");
      await actions.find("config-diff");
    },
  },
  "mcp-json-changed": { press, act: changed },
  "mcp-json-what-changed": {
    press,
    act: async (actions, backend) => {
      await changed(actions, backend);
      await actions.press("config-show-changes");
      await actions.find("config-diff");
    },
  },
  "mcp-json-replaced": {
    press,
    act: async (actions, backend) => {
      await changed(actions, backend);
      await actions.press("config-load");
      await actions.find("config-replaced");
    },
  },
  "mcp-json-leave": {
    press,
    act: async (actions) => {
      await edit(actions, moved);
      await actions.press("settings");
      await actions.find("confirm");
    },
  },
  "mcp-json-broken-file": {
    snapshot: {
      config: {
        ...config,
        error: error("config_invalid", "Unexpected word.", { hint: "Put text in double quotes." }),
        line: 7,
        column: 18,
      },
    },
    prepare: (backend) => (backend.file = textView(backend.file.text.replace('"npx"', "oops"))),
    press: ["config-edit"],
    find: "config-problems",
  },
  "mcp-json-unreadable": {
    prepare: (backend) =>
      backend.fail(
        "configTextRead",
        error("config_invalid", "reading /home/ada/.config/usher/mcp.json failed: permission denied.", {
          hint: "Check that you have permission to read and write the file and its folder.",
        }),
      ),
    press,
    find: "error",
  },
};
