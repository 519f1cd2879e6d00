import type { ServerView, Snapshot } from "../../../src/backend/bindings";
import { FakeBackend } from "../../support/fake-backend";
import { error, secondsFromNow, server, signedOut } from "../../support/views";
import type { Actions } from "../actions";

export type Scene = {
  backend: () => FakeBackend;
  /** The actions before the screenshot. */
  act?: (actions: Actions, backend: FakeBackend) => Promise<void>;
};

/** Scenes by name. Screenshots have the same names. */
export type Scenes = Record<string, Scene>;

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
      next_at: secondsFromNow(12),
      why: error("server_unreachable", "Could not reach mcp.sentry.dev."),
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

/** A backend with a few services. The window shows the first one. */
export function withServices(
  first: Partial<ServerView> = {},
  overrides: Partial<Snapshot> = {},
): FakeBackend {
  return new FakeBackend({ servers: [server(first), ...others], ...overrides });
}
