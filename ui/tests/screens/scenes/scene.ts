import type { ServerView, Snapshot } from "../../../src/backend/types";
import { FakeBackend } from "../../support/fake-backend";
import { error, inSeconds, server, signedOut } from "../../support/views";
import type { Hands } from "../hands";

export type Scene = {
  backend: () => FakeBackend;
  /** What a person does before the picture is taken. */
  act?: (hands: Hands, backend: FakeBackend) => Promise<void>;
};

/** Each screen by its name, which is its picture's, too. */
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

/** A window with a few services, of which the first is in sight. */
export function of(first: Partial<ServerView> = {}, more: Partial<Snapshot> = {}): FakeBackend {
  return new FakeBackend({ servers: [server(first), ...others], ...more });
}
