import {
  events,
  type Client,
  type Closing,
  type DesktopView,
  type Event,
  type OrphanView,
  type PageRequest,
  type PromptView,
  type ResourceView,
  type SecretsView,
  type ServerId,
  type ServerVerb,
  type Snapshot,
  type ToolView,
} from "./bindings";
import { BackendError, errorView } from "./error";
import { shell } from "./shell";

type Lists = { tools: ToolView[]; resources: ResourceView[]; prompts: PromptView[]; log: string[] };

const { engineRequest, pageRequestTake, ...commands } = shell;

/** The backend of the app: its commands, requests to the engine, and events. */
export const tauriBackend = {
  ...commands,

  /**
   * Subscribes to the engine's events. Resolves once the listeners are active, so a snapshot that is requested later
   * misses no change. `replaced` receives a full snapshot in two cases: a new engine has started, whose revisions begin
   * again, or events were lost.
   */
  async subscribe(listener: (event: Event) => void, replaced: (snapshot: Snapshot) => void) {
    const stops = await Promise.all([
      events.engineEvent.listen(({ payload }) => listener(payload)),
      events.snapshotTaken.listen(({ payload }) => replaced(payload)),
    ]);
    return () => stops.forEach((stop) => stop());
  },
  /** Subscribes to changes of the desktop's features. `appInfo` returns the current ones. */
  subscribeDesktop: (listener: (desktop: DesktopView) => void) =>
    events.desktopChanged.listen(({ payload }) => listener(payload)),
  /**
   * Reports the pages that the person requests outside the window (tray, notifications), until the window closes. A
   * page that was requested earlier is reported before the promise resolves.
   */
  async subscribePages(listener: (page: PageRequest) => void) {
    // The event contains no page. Each page is taken once, even if it was requested while the window was starting.
    const take = async () => {
      const page = await pageRequestTake();
      if (page !== null) listener(page);
    };
    await events.pageRequested.listen(() => void take().catch(() => undefined));
    await take();
  },

  /** Reports that the person wants to close the window or quit, while `windowKeepsText` is in force. */
  subscribeClose: (listener: (closing: Closing) => void) =>
    events.closeRequested.listen(({ payload }) => listener(payload)),

  /** Starts a sign-in and opens the browser. `client` is a pre-registered client. */
  serverSignIn: (id: ServerId, client?: Client) => shell.serverSignIn(id, client ?? null),
  /** Disconnects all services until `serversResume` or the next start. */
  serversPause: () => engineRequest({ request: "pause_all" }),
  serversResume: () => engineRequest({ request: "resume_all" }),
  /** Allows a secret for an origin, both as a `SecretRequestView` names them. */
  secretAllow: (secret: string, origin: string) => engineRequest({ request: "allow_secret", secret, origin }),
  /** Withdraws the permission to send a secret to an origin. */
  secretDisallow: (secret: string, origin: string) =>
    engineRequest({ request: "disallow_secret", secret, origin }),
  secretRemove: (name: string) => engineRequest({ request: "delete_secret", name }),
  /** Returns the named secrets, without their values. */
  secrets: async (): Promise<SecretsView> => {
    const reply = (await engineRequest({ request: "secrets" })) as { secrets?: SecretsView };
    if (reply.secrets === undefined) throw new BackendError(errorView('Unexpected reply to "secrets".'));
    return reply.secrets;
  },
  /** Approves a local program. `digest` is that of the launch that the person saw. */
  programApprove: (server: ServerId, digest: string) => engineRequest({ request: "approve", server, digest }),
  toolCancel: (call: string) => engineRequest({ request: "cancel_call", call }),

  /** Returns the sign-ins whose services are not in `mcp.json`. */
  orphans: async (): Promise<OrphanView[]> => {
    const reply = (await engineRequest({ request: "orphans" })) as { orphans?: OrphanView[] };
    if (reply.orphans === undefined) throw new BackendError(errorView('Unexpected reply to "orphans".'));
    return reply.orphans;
  },
  orphanRemove: (server: ServerId) => engineRequest({ request: "remove_orphan", server }),

  /** Sends a verb that has no method of its own. */
  serverVerb: (id: ServerId, verb: ServerVerb) => verbOf(verb)(id),
  serverRemove: verbOf("remove"),
  serverEnable: verbOf("enable"),
  serverDisable: verbOf("disable"),
  serverConnect: verbOf("connect"),
  serverDisconnect: verbOf("disconnect"),
  serverCancelSignIn: verbOf("cancel_sign_in"),
  serverSignOut: verbOf("sign_out"),
  /** Declines the requested permission; the call that waits for it fails. */
  serverDeclinePermission: verbOf("decline_permission"),
  serverTools: listOf("tools"),
  serverResources: listOf("resources"),
  serverPrompts: listOf("prompts"),
  /** Returns the last lines that a program wrote to stderr, oldest first. */
  serverLog: listOf("log"),
};

/**
 * The page's calls to its backend: the Tauri app, or a scripted backend in tests and on the screenshots page. Every
 * call rejects only with a `BackendError`.
 */
export type Backend = typeof tauriBackend;

function verbOf(verb: ServerVerb) {
  return (server: ServerId) => engineRequest({ request: "server", server, verb });
}

function listOf<Kind extends keyof Lists>(kind: Kind) {
  return async (server: ServerId): Promise<Lists[Kind]> => {
    const reply = (await verbOf(kind)(server)) as Partial<Lists>;
    const items = reply[kind];
    if (items === undefined) throw new BackendError(errorView(`Unexpected reply to "${kind}".`));
    return items;
  };
}
