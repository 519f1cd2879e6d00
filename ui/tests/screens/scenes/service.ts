import { connected, error, inSeconds, oauth, signedOut } from "../../support/views";
import { of, type Scenes } from "./scene";

/** A service's page in each of its states. */
export const serviceScenes: Scenes = {
  connected: { backend: () => of() },
  "connected-details": {
    backend: () => of(),
    act: async ({ press, find }) => {
      await press("tab-details");
      (await find("protocol-details")).toggleAttribute("open", true);
    },
  },
  "connected-without-sign-in": {
    backend: () => {
      const backend = of({
        id: "weather",
        name: "Weather",
        catalogue: null,
        address: "https://weather.example/mcp",
        status: { state: "connected", since: inSeconds(-3600), protocol: "2026-07-28", tool_count: 0 },
        auth: { kind: "none" },
      });
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
  "permission-asked": {
    backend: () => of({ permission: { scopes: ["pages:write"], for_what: "Create a page" } }),
  },
  "permission-asked-for-more": {
    backend: () =>
      of({
        status: { state: "needs_sign_in", reason: "more_permission_needed" },
        permission: { scopes: ["pages:read", "pages:write", "comments:write"], for_what: null },
      }),
  },
  paused: {
    backend: () => {
      const backend = of({}, { paused: true });
      const servers = backend.current.servers.map((view) =>
        view.status.state === "disabled" ? view : { ...view, status: { state: "paused" as const } },
      );
      backend.current = { ...backend.current, servers };
      return backend;
    },
  },
  "needs-sign-in-interrupted": {
    backend: () => of({ status: { state: "needs_sign_in", reason: "refresh_interrupted" }, auth: signedOut }),
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
    backend: () =>
      of({
        status: { state: "needs_sign_in", reason: "expired" },
        auth: signedOut,
        last_error: error("sign_in_required", "Notion ended the sign-in.", {
          hint: "Sign in to Notion again.",
        }),
      }),
    act: async ({ find }) => void (await find("state-details")).toggleAttribute("open", true),
  },
  "needs-sign-in-unreachable": {
    backend: () =>
      of({
        status: { state: "needs_sign_in", reason: "expired" },
        auth: signedOut,
        last_error: error(
          "server_unreachable",
          "Could not reach mcp.notion.com (connection refused).",
          {
            hint: "Check the address and your network, then try again.",
          },
        ),
      }),
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
  remove: {
    backend: () => of({ status: connected, auth: oauth() }),
    act: async ({ press, find }) => {
      await press("tab-details");
      await press("remove");
      await find("remove-confirm");
    },
  },
};
