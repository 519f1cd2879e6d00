import { elicitation, error, server } from "../../support/views";
import type { Actions } from "../actions";
import type { Scenes } from "./scene";

async function scrollToResult({ find }: Actions): Promise<void> {
  (await find("tool-result")).scrollIntoView();
}

export const toolsScenes: Scenes = {
  "connected-search": { act: ({ type }) => type("tool-search", "page") },
  "tools-failed": {
    prepare: (backend) =>
      backend.fail("serverTools", error("server_unreachable", "mcp.notion.com did not respond in time.")),
  },
  "tool-dialog": { press: ["tool-search_pages"], find: "tool-run" },
  "tool-form-long": { press: ["tool-create_page"], find: "tool-run" },
  "tool-invalid": { press: ["tool-search_pages", "tool-run"], find: "tool-run" },
  "tool-running": {
    prepare: (backend) => backend.hang("toolCall"),
    press: ["tool-slow_task", "tool-run"],
    find: "tool-progress",
    act: async (_, backend) => {
      const call = backend.callsOf("toolCall")[0]?.[3] as string;
      const progress = { progress: 3, total: 8, message: "Counting: 3 of 8" };
      backend.emit({ event: "call_progressed", revision: 11, call, ...progress });
    },
  },
  "tool-permission": {
    prepare: (backend) => backend.hang("toolCall"),
    press: ["tool-whoami", "tool-run"],
    find: "tool-progress",
    act: async ({ find }, backend) => {
      const permission = { scopes: ["pages:write"], tool_title: "Who am I" };
      backend.emit({ event: "server_changed", revision: 11, view: server({ permission }) });
      await find("permission-decline");
    },
  },
  "tool-result": {
    prepare: (backend) => {
      backend.result = {
        is_error: false,
        content: [
          { kind: "text", text: "Found 2 pages.\n\n1. Shopping list\n2. Holiday plans" },
          { kind: "image", mime_type: "image/png", data: PICTURE },
        ],
        structured: '{"pages":[{"id":"p1","title":"Shopping list"},{"id":"p2","title":"Holiday plans"}]}',
      };
    },
    press: ["tool-whoami", "tool-run"],
    act: scrollToResult,
  },
  "tool-result-markdown": {
    prepare: (backend) => {
      backend.result = { is_error: false, content: [{ kind: "text", text: MARKDOWN }], structured: null };
    },
    press: ["tool-whoami", "tool-run"],
    act: scrollToResult,
  },
  "tool-error": {
    prepare: (backend) => {
      const content = [{ kind: "text" as const, text: "There is no page with this id." }];
      backend.result = { is_error: true, content, structured: null };
    },
    press: ["tool-whoami", "tool-run"],
    find: "tool-result",
  },
  elicitation: {
    snapshot: {
      elicitations: [
        elicitation({
          message: "Which notebook should the page be added to?",
          schema: JSON.stringify({
            type: "object",
            properties: {
              notebook: { type: "string", title: "Notebook", enum: ["Work", "Home"] },
              pin: { type: "boolean", title: "Pin it" },
            },
            required: ["notebook"],
          }),
        }),
      ],
    },
    find: "elicitation-accept",
  },
  "elicitation-in-a-call": {
    prepare: (backend) => backend.hang("toolCall"),
    press: ["tool-search_pages"],
    find: "tool-run",
    act: async ({ find }, backend) => {
      const question = elicitation({
        message: "Search the archive, too?",
        schema: JSON.stringify({
          type: "object",
          properties: { archive: { type: "boolean", title: "Search the archive" } },
        }),
      });
      backend.emit({ event: "elicitation_requested", revision: 11, elicitation: question });
      await find("elicitation-accept");
    },
  },
  "elicitation-aside": {
    snapshot: { elicitations: [elicitation()] },
    find: "elicitation-accept",
    act: async ({ find }) => {
      document.querySelector<HTMLElement>("[data-testid=elicitation] [aria-label='Answer later']")?.click();
      await find("questions-waiting");
    },
  },
  "elicitation-page": {
    snapshot: {
      elicitations: [
        elicitation({
          message:
            "Your keychain is locked. Enter its password on our page to unlock it, and Usher continues. ".repeat(
              6,
            ),
          service: "A server whose name is long enough to fill the whole first line twice over",
          host: "mcp.a-host-with-a-very-long-name-that-hides-its-end.evil.example:8443",
          schema: null,
          url: "https://www.notion.so/confirm/8817",
        }),
      ],
    },
    find: "elicitation-accept",
  },
};

const MARKDOWN = `# Night train

Leaves at **22:10** from platform 4.
See the [timetable](https://trains.example/night) and <b>this tag</b>.

| stop | time |
|---|---|
| Lyon | 22:10 |
| Lisbon | 11:35 |

- bring a pillow
- no \`luggage\` in the aisle

> The dining car closes at midnight.
`;

/** A small PNG. */
const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC";
