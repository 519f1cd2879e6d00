import { error, server } from "../../support/views";
import { type Scenes, withServices } from "./scene";

export const toolsScenes: Scenes = {
  "connected-search": {
    backend: () => withServices(),
    act: async ({ type }) => type("tool-search", "page"),
  },
  "tools-failed": {
    backend: () =>
      withServices({}).fail("serverTools", error("server_unreachable", "mcp.notion.com did not respond in time.")),
  },
  "tool-dialog": {
    backend: () => withServices(),
    act: async ({ press, find }) => {
      await press("tool-search_pages");
      await find("tool-run");
    },
  },
  "tool-form-long": {
    backend: () => withServices(),
    act: async ({ press, find }) => {
      await press("tool-create_page");
      await find("tool-run");
    },
  },
  "tool-invalid": {
    backend: () => withServices(),
    act: async ({ press, find }) => {
      await press("tool-search_pages");
      await press("tool-run");
      await find("tool-run");
    },
  },
  "tool-running": {
    backend: () => withServices().hang("toolCall"),
    act: async ({ press, find }, backend) => {
      await press("tool-slow_task");
      await press("tool-run");
      await find("tool-progress");
      const call = backend.callsOf("toolCall")[0]?.[3] as string;
      backend.emit({
        event: "call_progressed",
        revision: 11,
        call,
        progress: 3,
        total: 8,
        message: "Counting: 3 of 8",
      });
    },
  },
  "tool-permission": {
    backend: () => withServices().hang("toolCall"),
    act: async ({ press, find }, backend) => {
      await press("tool-whoami");
      await press("tool-run");
      await find("tool-progress");
      const permission = { scopes: ["pages:write"], for_what: "Who am I" };
      backend.emit({ event: "server_changed", revision: 11, view: server({ permission }) });
      await find("permission-decline");
    },
  },
  "tool-result": {
    backend: () => {
      const backend = withServices();
      backend.result = {
        is_error: false,
        content: [
          { kind: "text", text: "Found 2 pages.\n\n1. Shopping list\n2. Holiday plans" },
          { kind: "image", mime_type: "image/png", data: PICTURE },
        ],
        structured: '{"pages":[{"id":"p1","title":"Shopping list"},{"id":"p2","title":"Holiday plans"}]}',
      };
      return backend;
    },
    act: async ({ press, find }) => {
      await press("tool-whoami");
      await press("tool-run");
      (await find("tool-result")).scrollIntoView();
    },
  },
  "tool-result-markdown": {
    backend: () => {
      const backend = withServices();
      backend.result = { is_error: false, content: [{ kind: "text", text: MARKDOWN }], structured: null };
      return backend;
    },
    act: async ({ press, find }) => {
      await press("tool-whoami");
      await press("tool-run");
      (await find("tool-result")).scrollIntoView();
    },
  },
  "tool-error": {
    backend: () => {
      const backend = withServices();
      backend.result = {
        is_error: true,
        content: [{ kind: "text", text: "There is no page with this id." }],
        structured: null,
      };
      return backend;
    },
    act: async ({ press, find }) => {
      await press("tool-whoami");
      await press("tool-run");
      await find("tool-result");
    },
  },
  elicitation: {
    backend: () =>
      withServices(
        {},
        {
          elicitations: [
            {
              id: "1",
              server: "notion",
              call: null,
              message: "Which notebook should the page be added to?",
              schema: JSON.stringify({
                type: "object",
                properties: {
                  notebook: { type: "string", title: "Notebook", enum: ["Work", "Home"] },
                  pin: { type: "boolean", title: "Pin it" },
                },
                required: ["notebook"],
              }),
              url: null,
            },
          ],
        },
      ),
    act: async ({ find }) => void (await find("elicitation-accept")),
  },
  "elicitation-in-a-call": {
    backend: () => withServices().hang("toolCall"),
    act: async ({ press, find }, backend) => {
      await press("tool-search_pages");
      await find("tool-run");
      const elicitation = {
        id: "1",
        server: "notion",
        message: "Search the archive, too?",
        schema: JSON.stringify({
          type: "object",
          properties: { archive: { type: "boolean", title: "Search the archive" } },
        }),
        url: null,
        call: null,
      };
      backend.emit({ event: "elicitation_requested", revision: 11, elicitation });
      await find("elicitation-accept");
    },
  },
  "elicitation-page": {
    backend: () =>
      withServices(
        {},
        {
          elicitations: [
            {
              id: "1",
              server: "notion",
              call: null,
              message: "Please confirm the export on our page.",
              schema: null,
              url: "https://www.notion.so/confirm/8817",
            },
          ],
        },
      ),
    act: async ({ find }) => void (await find("elicitation-accept")),
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
