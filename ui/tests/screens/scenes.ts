import { Refusal } from "../../src/backend/backend";
import type { ServerView, Snapshot } from "../../src/backend/types";
import { FakeBackend } from "../support/fake-backend";
import * as views from "../support/views";
import type { Hands } from "./hands";

export type Scene = {
  backend: () => FakeBackend;
  /** What a person does before the picture is taken. */
  act?: (hands: Hands, backend: FakeBackend) => Promise<void>;
};

const { error, server, oauth, signedOut, connected, signingIn, inSeconds } = views;

const others: ServerView[] = [
  server({
    id: "linear",
    name: "Linear",
    catalogue: "linear",
    address: "https://mcp.linear.app/mcp",
    status: { state: "needs_sign_in", reason: "expired" },
    auth: signedOut,
  }),
  server({
    id: "sentry",
    name: "Sentry",
    catalogue: "sentry",
    address: "https://mcp.sentry.dev/mcp",
    status: {
      state: "reconnecting",
      attempt: 3,
      next_at: inSeconds(12),
      why: error("server_unreachable", "mcp.sentry.dev cannot be reached."),
    },
  }),
  server({
    id: "corp",
    name: "Corporate knowledge base (staging)",
    catalogue: null,
    address: "https://mcp.corp.example/mcp",
    status: {
      state: "failed",
      error: error("tls_failed", "The certificate of mcp.corp.example has expired."),
    },
  }),
  server({
    id: "github",
    name: "GitHub",
    catalogue: "github",
    address: "https://api.githubcopilot.com/mcp/",
    status: { state: "disabled" },
  }),
];

function of(first: Partial<ServerView>, more: Partial<Snapshot> = {}): FakeBackend {
  return new FakeBackend({ servers: [server(first), ...others], ...more });
}

function withTools(first: Partial<ServerView> = {}): FakeBackend {
  return of(first);
}

/** Each screen by its name, which is its picture's, too. */
export const scenes: Record<string, Scene> = {
  opening: { backend: () => of({}).answer("snapshot", "never") },
  "start-failed": {
    backend: () =>
      of({}).answer(
        "snapshot",
        new Refusal(
          error("internal", "Another Usher of yours holds the lock.", {
            hint: "Close the other one, then try again.",
            details: "engine.lock is held by process 4711",
          }),
        ),
      ),
  },
  notice: {
    backend: () =>
      of({}).answer(
        "startLink",
        new Refusal(
          error("authorization_expired", "The link that opened Usher belongs to no sign-in.", {
            hint: "Start the sign-in here, and say yes in the browser again.",
          }),
        ),
      ),
    act: async ({ find }) => void (await find("notice")),
  },
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
  connected: { backend: () => withTools() },
  "connected-details": {
    backend: () => withTools(),
    act: async ({ press, find }) => {
      await press("tab-details");
      (await find("protocol-details")).toggleAttribute("open", true);
    },
  },
  "connected-search": {
    backend: () => withTools(),
    act: async ({ type }) => type("tool-search", "page"),
  },
  "connected-without-sign-in": {
    backend: () => {
      const backend = of({ auth: { kind: "none" }, name: "Weather", catalogue: null, id: "weather" });
      backend.tools = [];
      return backend;
    },
  },
  "connected-more-permission": {
    backend: () =>
      of({
        last_error: error("insufficient_scope", "Notion wants more permission for “delete_page”.", {
          hint: "Grant access on Notion’s page; what you have stays.",
          details: "scope: pages:delete",
        }),
      }),
  },
  "tools-failed": {
    backend: () =>
      of({}).answer(
        "serverTools",
        new Refusal(error("server_unreachable", "mcp.notion.com did not answer in time.")),
      ),
  },
  "tool-dialog": {
    backend: () => withTools(),
    act: async ({ press, find }) => {
      await press("tool-search_pages");
      await find("tool-run");
    },
  },
  "tool-form-long": {
    backend: () => withTools(),
    act: async ({ press, find }) => {
      await press("tool-create_page");
      await find("tool-run");
    },
  },
  "tool-invalid": {
    backend: () => withTools(),
    act: async ({ press, find }) => {
      await press("tool-search_pages");
      await press("tool-run");
      await find("tool-run");
    },
  },
  "tool-running": {
    backend: () => withTools().answer("toolCall", "never"),
    act: async ({ press, find }, backend) => {
      await press("tool-slow_task");
      await press("tool-run");
      await find("tool-progress");
      const call = backend.asked("toolCall")[0]?.[3] as string;
      backend.tell({
        event: "call_progressed",
        revision: 11,
        call,
        progress: 3,
        total: 8,
        message: "Counting: 3 of 8",
      });
    },
  },
  "tool-result": {
    backend: () => {
      const backend = withTools();
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
  "tool-error": {
    backend: () => {
      const backend = withTools();
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
      of(
        {},
        {
          elicitations: [
            {
              id: "1",
              server: "notion",
              message: "Which notebook shall the page go to?",
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
  "elicitation-page": {
    backend: () =>
      of(
        {},
        {
          elicitations: [
            {
              id: "1",
              server: "notion",
              message: "Please confirm the export on our page.",
              schema: null,
              url: "https://www.notion.so/confirm/8817",
            },
          ],
        },
      ),
    act: async ({ find }) => void (await find("elicitation-accept")),
  },
  connecting: { backend: () => of({ status: { state: "connecting" }, auth: { kind: "unknown" } }) },
  disabled: { backend: () => of({ status: { state: "disabled" } }) },
  unsupported: {
    backend: () =>
      of({
        id: "files",
        name: "files",
        catalogue: null,
        address: "npx -y @modelcontextprotocol/server-filesystem /home/ada",
        transport: "stdio",
        status: {
          state: "unsupported",
          why: "Local servers come with a later version. The entry is kept as it is.",
        },
        auth: { kind: "unknown" },
      }),
  },
  "needs-sign-in": {
    backend: () => of({ status: { state: "needs_sign_in", reason: "never_signed_in" }, auth: signedOut }),
  },
  "needs-sign-in-expired": {
    backend: () => of({ status: { state: "needs_sign_in", reason: "expired" }, auth: signedOut }),
  },
  "needs-sign-in-refused": {
    backend: () =>
      of({
        status: { state: "needs_sign_in", reason: "refused" },
        auth: signedOut,
        last_error: error("authorization_denied", "You said no on the page of mcp.notion.com.", {
          details: "access_denied",
        }),
      }),
  },
  "sign-in-discovering": {
    backend: () =>
      of({
        status: signingIn({
          step: "discovering",
          host: null,
          opened: null,
          redirect: null,
          next_redirect: null,
        }),
        auth: signedOut,
      }),
  },
  "sign-in-waiting": { backend: () => of({ status: signingIn(), auth: signedOut }) },
  "sign-in-trouble": {
    backend: () => of({ status: signingIn(), auth: signedOut }),
    act: async ({ find }) => void (await find("waiting-trouble")).toggleAttribute("open", true),
  },
  "sign-in-paste": {
    backend: () =>
      of({ status: signingIn({ redirect: "paste", next_redirect: null }), auth: signedOut }).answer(
        "signInComplete",
        new Refusal(
          error("authorization_denied", "This address does not belong to a sign-in that is under way.", {
            hint: "Copy it once more, from “dev.usher.desktop:” to its end.",
          }),
        ),
      ),
    act: async ({ type, press }) => {
      await type("waiting-paste", "https://example.com/");
      await press("waiting-paste-submit");
    },
  },
  "sign-in-exchanging": { backend: () => of({ status: signingIn({ step: "exchanging" }), auth: signedOut }) },
  reconnecting: {
    backend: () =>
      of({
        status: {
          state: "reconnecting",
          attempt: 2,
          next_at: inSeconds(9),
          why: error("server_unreachable", "mcp.notion.com cannot be reached.", {
            hint: "Check your connection; Usher goes on trying.",
          }),
        },
      }),
  },
  "failed-unreachable": {
    backend: () =>
      of({
        status: {
          state: "failed",
          error: error("server_unreachable", "mcp.notion.com does not exist.", {
            hint: "Check the address.",
          }),
        },
      }),
  },
  "failed-discovery": {
    backend: () =>
      of({
        status: {
          state: "failed",
          error: error(
            "discovery_failed",
            "mcp.notion.com answered with a page instead of its sign-in data.",
            {
              hint: "The service may be down, or the address may be wrong.",
              details:
                "step: server metadata\nhost: mcp.notion.com\nexpected application/json, got text/html",
            },
          ),
        },
        auth: signedOut,
      }),
    act: async ({ press }) => press("show-details"),
  },
  "failed-registration": {
    backend: () =>
      of({
        status: {
          state: "failed",
          error: error("registration_unsupported", "This service does not let apps introduce themselves.", {
            hint: "Create an app there and enter its client ID.",
          }),
        },
        auth: signedOut,
      }),
    act: async ({ press }) => press("enter-client"),
  },
  "keychain-missing": {
    backend: () =>
      of(
        {},
        {
          secret_store: {
            kind: "keychain",
            error: error("keychain_unavailable", "No keychain answers on this computer.", {
              details: "org.freedesktop.secrets: no such name",
            }),
          },
        },
      ),
  },
  "keychain-locked": {
    backend: () =>
      of(
        {},
        {
          secret_store: { kind: "keychain", error: error("keychain_locked", "The keychain does not open.") },
        },
      ),
  },
  "memory-only": { backend: () => of({}, { secret_store: { kind: "memory" } }) },
  "config-broken": {
    backend: () =>
      of(
        {},
        {
          config: {
            ...views.config,
            error: error("config_invalid", 'A comma is missing after "url".', {
              hint: "Put a comma at the end of the line above.",
            }),
            line: 4,
            column: 12,
          },
        },
      ),
  },
  settings: {
    backend: () =>
      of(
        {},
        {
          config: { ...views.config, warnings: ["“corp”: “transport” is read as “type”."] },
          secret_store: { kind: "file", path: "/home/ada/.local/state/usher/secrets.json", error: null },
        },
      ),
    act: async ({ press, find }) => {
      await press("settings");
      await find("settings-page");
    },
  },
  remove: {
    backend: () => of({ status: connected, auth: oauth() }),
    act: async ({ press, find }) => {
      await press("tab-details");
      await press("remove");
      await find("remove-confirm");
    },
  },
};

/** A small raster, as a tool would send it. */
const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC";
