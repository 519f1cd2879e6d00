import { connected, error, secondsFromNow, oauth, signedOut } from "../../support/views";
import { type Scenes, withServices } from "./scene";

/** A service's page in each of its states. */
export const serviceScenes: Scenes = {
  connected: { backend: () => withServices() },
  "long-names": {
    backend: () => withServices({ name: "The Corporate Knowledge Base of the Research Department (staging)" }),
  },
  "connected-details": {
    backend: () => withServices(),
    act: async ({ press, find }) => {
      await press("tab-details");
      (await find("protocol-details")).toggleAttribute("open", true);
    },
  },
  "connected-without-sign-in": {
    backend: () => {
      const backend = withServices({
        id: "weather",
        name: "Weather",
        catalogue: null,
        address: "https://weather.example/mcp",
        status: { state: "connected", since: secondsFromNow(-3600), protocol: "2026-07-28", tool_count: 0 },
        auth: { kind: "none" },
      });
      backend.tools = [];
      return backend;
    },
  },
  "connected-needs-permission": {
    backend: () =>
      withServices({
        last_error: error("insufficient_scope", "Notion asks for more permissions for “delete_page”.", {
          hint: "Grant access on Notion’s page. You keep your other permissions.",
          details: "scope: pages:delete",
        }),
      }),
  },
  "permission-for-call": {
    backend: () => withServices({ permission: { scopes: ["pages:write"], for_what: "Create a page" } }),
  },
  "permission-for-connection": {
    backend: () =>
      withServices({
        status: { state: "needs_sign_in", reason: "more_permission_needed" },
        permission: { scopes: ["pages:read", "pages:write", "comments:write"], for_what: null },
      }),
  },
  paused: {
    backend: () => {
      const backend = withServices({}, { paused: true });
      const servers = backend.current.servers.map((view) =>
        view.status.state === "disabled" ? view : { ...view, status: { state: "paused" as const } },
      );
      backend.current = { ...backend.current, servers };
      return backend;
    },
  },
  "needs-sign-in-interrupted": {
    backend: () => withServices({ status: { state: "needs_sign_in", reason: "refresh_interrupted" }, auth: signedOut }),
  },
  connecting: { backend: () => withServices({ status: { state: "connecting" }, auth: { kind: "unknown" } }) },
  disabled: { backend: () => withServices({ status: { state: "disabled" } }) },
  unsupported: {
    backend: () =>
      withServices({
        id: "files",
        name: "files",
        catalogue: null,
        address: "npx -y @modelcontextprotocol/server-filesystem /home/ada",
        transport: "stdio",
        status: {
          state: "unsupported",
          why: "Local servers are not supported yet. The entry stays in mcp.json.",
        },
        auth: { kind: "unknown" },
      }),
  },
  "needs-sign-in": {
    backend: () => withServices({ status: { state: "needs_sign_in", reason: "never_signed_in" }, auth: signedOut }),
  },
  "needs-sign-in-expired": {
    backend: () =>
      withServices({
        status: { state: "needs_sign_in", reason: "expired" },
        auth: signedOut,
        last_error: error("sign_in_required", "Notion rejected the refresh token.", {
          hint: "Sign in to Notion again.",
        }),
      }),
    act: async ({ find }) => void (await find("state-details")).toggleAttribute("open", true),
  },
  "needs-sign-in-unreachable": {
    backend: () =>
      withServices({
        status: { state: "needs_sign_in", reason: "expired" },
        auth: signedOut,
        last_error: error("server_unreachable", "Could not reach mcp.notion.com (connection refused).", {
          hint: "Check the address and your network, then try again.",
        }),
      }),
  },
  "needs-sign-in-refused": {
    backend: () =>
      withServices({
        status: { state: "needs_sign_in", reason: "refused" },
        auth: signedOut,
        last_error: error("authorization_denied", "Access was denied on mcp.notion.com.", {
          details: "access_denied",
        }),
      }),
  },
  reconnecting: {
    backend: () =>
      withServices({
        status: {
          state: "reconnecting",
          attempt: 2,
          next_at: secondsFromNow(9),
          why: error("server_unreachable", "Could not reach mcp.notion.com.", {
            hint: "Check your connection. Usher keeps trying.",
          }),
        },
      }),
  },
  "failed-unreachable": {
    backend: () =>
      withServices({
        status: {
          state: "failed",
          error: error("server_unreachable", "Could not reach mcp.notion.com (host not found).", {
            hint: "Check the address.",
          }),
        },
      }),
  },
  "failed-discovery": {
    backend: () =>
      withServices({
        status: {
          state: "failed",
          error: error("discovery_failed", "mcp.notion.com returned a web page instead of its metadata.", {
            hint: "The service may be down, or the address may be wrong.",
            details: "step: server metadata\nhost: mcp.notion.com\nexpected application/json, got text/html",
          }),
        },
        auth: signedOut,
      }),
    act: async ({ press }) => press("show-details"),
  },
  "failed-registration": {
    backend: () =>
      withServices({
        status: {
          state: "failed",
          error: error("registration_unsupported", "Notion does not support automatic registration.", {
            hint: "Create an app at Notion and enter its client ID.",
          }),
        },
        auth: signedOut,
      }),
    act: async ({ press }) => press("enter-client"),
  },
  remove: {
    backend: () => withServices({ status: connected, auth: oauth() }),
    act: async ({ press, find }) => {
      await press("tab-details");
      await press("remove");
      await find("remove-confirm");
    },
  },
};
