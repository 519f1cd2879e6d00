import type { ServerView, Snapshot } from "../../../src/backend/bindings";
import { FakeBackend } from "../../support/fake-backend";
import { error, failed, needsSignIn, secondsFromNow, server } from "../../support/views";
import { actions, type Actions } from "../actions";

/** A screen. Its window has a few services and shows the first one. */
export type Scene = {
  /** Overrides of the first service. */
  service?: Partial<ServerView>;
  snapshot?: Partial<Snapshot>;
  /** Further changes of the backend. */
  prepare?: (backend: FakeBackend) => unknown;
  /** The elements to press before the screenshot. */
  press?: string[];
  /** The element to wait for after the presses. */
  find?: string;
  /** Further actions before the screenshot. */
  act?: (actions: Actions, backend: FakeBackend) => Promise<unknown>;
};

/** Scenes by name. Screenshots have the same names. */
export type Scenes = Record<string, Scene>;

const others: ServerView[] = [
  server({
    id: "linear",
    name: "Linear",
    catalogue: "linear",
    address: "https://mcp.linear.app/mcp",
    ...needsSignIn("expired"),
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
    status: failed("tls_failed", "The certificate of mcp.corp.example has expired."),
  }),
  server({
    id: "github",
    name: "GitHub",
    catalogue: "github",
    address: "https://api.githubcopilot.com/mcp/",
    status: { state: "disabled" },
  }),
];

/** Opens a scene's window with `mount`, and resolves when its actions are done. */
export async function play(
  { service, snapshot, prepare, press = [], find, act }: Scene,
  mount: (backend: FakeBackend) => void,
): Promise<void> {
  const backend = new FakeBackend({ servers: [server(service), ...others], ...snapshot });
  prepare?.(backend);
  mount(backend);
  for (const testid of press) await actions.press(testid);
  if (find) await actions.find(find);
  await act?.(actions, backend);
}
