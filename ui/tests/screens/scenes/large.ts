import { server, tool } from "../../support/views";
import type { Scenes } from "./scene";

/** Scenes with broken data, and with more, larger or slower data than honest servers have. */
export const largeScenes: Scenes = {
  "tools-many": {
    prepare: (backend) => {
      backend.tools = Array.from({ length: 60_000 }, (_, index) =>
        tool({
          name: `tool_${index}`,
          title: null,
          description: `Finds pages by their words, **newest first**.\n\n${"Details. ".repeat(index % 40)}`,
        }),
      );
    },
    find: "tool-tool_0",
  },
  "services-many": {
    snapshot: {
      servers: Array.from({ length: 3_000 }, (_, index) =>
        server({ id: `service-${index}`, name: `Service ${index}`, catalogue: null }),
      ),
    },
    press: ["server-service-3"],
    find: "tool-search_pages",
  },
  "tools-broken": {
    prepare: (backend) => {
      const broken = "The service does not describe its arguments.";
      backend.tools = [
        tool(),
        tool({ name: "broken", title: "Broken tool", broken }),
        tool({ name: "", title: null, broken: "The service gives it no name." }),
      ];
    },
    find: "tool-broken",
  },
  "tool-broken-dialog": {
    prepare: (backend) => {
      const broken = "The service does not describe its arguments.";
      backend.tools = [tool({ name: "broken", title: "Broken tool", broken })];
    },
    press: ["tool-broken"],
    find: "tool-dialog",
  },
  "tool-description-slow": {
    prepare: (backend) => (backend.tools = [tool({ description: "*a_".repeat(6_000) })]),
    press: ["tool-search_pages"],
    find: "tool-run",
    // The text is invisible at first, then shown unchanged.
    act: () => new Promise((resolve) => setTimeout(resolve, 500)),
  },
  "tool-result-long": {
    prepare: (backend) => {
      backend.result = {
        is_error: false,
        content: [
          { kind: "text", text: "x".repeat(1_000_000) },
          ...Array.from({ length: 200 }, (_, index) => ({ kind: "text" as const, text: `Block ${index}` })),
        ],
        structured: null,
      };
    },
    press: ["tool-whoami", "tool-run"],
    find: "tool-result",
    act: async ({ find }) => (await find("tool-result")).scrollIntoView(),
  },
};
