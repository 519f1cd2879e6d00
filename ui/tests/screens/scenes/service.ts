import { error, failed, needsSignIn, program, secondsFromNow, signedOut } from "../../support/views";
import type { ServerView } from "../../../src/backend/bindings";
import type { Scenes } from "./scene";

const files: Partial<ServerView> = {
  id: "files",
  name: "files",
  catalogue: null,
  address: "npx",
  transport: "stdio",
  auth: { kind: "unknown" },
};

const notApproved = failed(
  "approval_needed",
  "files is a program on this computer that you have not approved yet.",
);

/** A service's page in each of its states. */
export const serviceScenes: Scenes = {
  connected: {},
  "long-names": {
    service: { name: "The Corporate Knowledge Base of the Research Department (staging)" },
  },
  "connected-details": { press: ["tab-details"], act: ({ unfold }) => unfold("protocol-details") },
  "connected-without-sign-in": {
    service: {
      id: "weather",
      name: "Weather",
      catalogue: null,
      address: "https://weather.example/mcp",
      status: { state: "connected", since: secondsFromNow(-3600), protocol: "2026-07-28", tool_count: 0 },
      auth: { kind: "none" },
    },
    prepare: (backend) => (backend.tools = []),
  },
  "connected-needs-permission": {
    service: {
      last_error: error("insufficient_scope", "Notion asks for more permissions for “delete_page”.", {
        hint: "Grant access on Notion’s page. You keep your other permissions.",
        details: "scope: pages:delete",
      }),
    },
  },
  "permission-for-call": {
    service: { permission: { scopes: ["pages:write"], tool_title: "Create a page" } },
  },
  "permission-for-connection": {
    service: {
      status: { state: "needs_sign_in", reason: "insufficient_scope" },
      permission: { scopes: ["pages:read", "pages:write", "comments:write"], tool_title: null },
    },
  },
  "secret-request": {
    service: {
      address: "https://mcp.notion.example/mcp",
      status: failed(
        "secret_not_allowed",
        "The entry of Notion in mcp.json sends {{notion_key}} to https://mcp.notion.example.",
      ),
      secret_requests: [
        {
          secret: "{{notion_key}}",
          origin: "https://mcp.notion.example",
          allowed_origins: ["https://mcp.notion.com"],
        },
        { secret: "${NOTION_TOKEN}", origin: "https://mcp.notion.example", allowed_origins: [] },
      ],
    },
  },
  "program-approval": { service: { ...files, status: notApproved, program: program() } },
  "program-changed": {
    service: {
      ...files,
      status: notApproved,
      program: program({
        launch: {
          ...program().launch,
          arguments: ["-y", "@modelcontextprotocol/server-filesystem", "/home/ada"],
          folder: "~/notes",
        },
        earlier: program().launch,
        changed_variables: ["NODE_ENV"],
      }),
    },
  },
  "program-starting": {
    service: {
      ...files,
      status: { state: "connecting" },
      program: program({
        is_approved: true,
        newest_line: "npm warn exec The following package was not found",
      }),
    },
  },
  "program-exited": {
    service: {
      ...files,
      status: failed(
        "process_exited",
        "The program of files ended with exit code 1: Error: ENOENT: no such file or directory",
        {
          hint: "Check the entry in mcp.json and the program's output, then connect again.",
          details: "Secure MCP Filesystem Server\nError: ENOENT: no such file or directory",
        },
      ),
      program: program({ is_approved: true, newest_line: "Error: ENOENT: no such file or directory" }),
    },
  },
  "program-log": {
    service: { ...files, program: program({ is_approved: true, newest_line: "Listening on stdio" }) },
    prepare: (backend) => {
      backend.log = [
        "npm warn exec The following package was not found and will be installed",
        ...Array.from({ length: 40 }, (_, line) => `Indexed /home/ada/notes/${line}.md in ${line % 7} ms`),
        "Listening on stdio",
      ];
    },
    press: ["tab-details"],
    find: "log-lines",
  },
  "entry-error": {
    service: {
      address: "",
      status: failed("config_invalid", "Notion has an error in mcp.json, line 4: this server has no `url`.", {
        hint: 'Add "url": "https://…".',
        details: "line 6, column 9: `title` is a number, but must be a string in double quotes",
      }),
      entry_error: { line: 4, column: 5 },
      auth: { kind: "unknown" },
    },
  },
  "own-note-and-icon": { service: { description: "The notes of the research group.", icon: "RG" } },
  paused: {
    snapshot: { paused: true },
    prepare: ({ current }) => {
      current.servers = current.servers.map((view) =>
        view.status.state === "disabled" ? view : { ...view, status: { state: "paused" as const } },
      );
    },
  },
  "needs-sign-in-interrupted": { service: needsSignIn("refresh_interrupted") },
  "needs-sign-in-rejected": { service: needsSignIn("refresh_rejected") },
  connecting: { service: { status: { state: "connecting" }, auth: { kind: "unknown" } } },
  disabled: { service: { status: { state: "disabled" } } },
  "needs-sign-in": { service: needsSignIn("never_signed_in") },
  "needs-sign-in-expired": {
    service: {
      ...needsSignIn("expired"),
      last_error: error("sign_in_required", "Notion rejected the refresh token.", {
        hint: "Sign in to Notion again.",
      }),
    },
    act: ({ unfold }) => unfold("state-details"),
  },
  "needs-sign-in-unreachable": {
    service: {
      ...needsSignIn("expired"),
      last_error: error("server_unreachable", "Could not reach mcp.notion.com (connection refused).", {
        hint: "Check the address and your network, then try again.",
      }),
    },
  },
  "needs-sign-in-refused": {
    service: {
      ...needsSignIn("denied"),
      last_error: error("authorization_denied", "Access was denied on mcp.notion.com.", {
        details: "access_denied",
      }),
    },
  },
  reconnecting: {
    service: {
      status: {
        state: "reconnecting",
        attempt: 2,
        next_at: secondsFromNow(9),
        why: error("server_unreachable", "Could not reach mcp.notion.com.", {
          hint: "Check your connection. Usher keeps trying.",
        }),
      },
    },
  },
  "failed-unreachable": {
    service: {
      status: failed("server_unreachable", "Could not reach mcp.notion.com (host not found).", {
        hint: "Check the address.",
      }),
    },
  },
  "failed-discovery": {
    service: {
      status: failed("discovery_failed", "mcp.notion.com returned a web page instead of its metadata.", {
        hint: "The service may be down, or the address may be wrong.",
        details: "step: server metadata\nhost: mcp.notion.com\nexpected application/json, got text/html",
      }),
      auth: signedOut,
    },
    press: ["show-details"],
  },
  "failed-registration": {
    service: {
      status: failed("registration_unsupported", "Notion does not support automatic registration.", {
        hint: "Create an app at Notion and enter its client ID.",
      }),
      auth: signedOut,
    },
    press: ["enter-client"],
  },
  remove: { press: ["tab-details", "remove"], find: "remove-confirm" },
};
