import { SvelteMap } from "svelte/reactivity";

import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type {
  ConfigView,
  ElicitationView,
  ErrorView,
  Event,
  PromptView,
  ResourceView,
  Revision,
  SecretStoreView,
  ServerId,
  ServerView,
  Snapshot,
  ToolView,
} from "../backend/bindings";

export type OfferKind = "tool" | "resource" | "prompt";

export type Offer = ToolView | ResourceView | PromptView;

export type Progress = { progress: number | null; total: number | null; message: string | null };

/**
 * The engine's state: a snapshot, kept up to date by events. It subscribes before it requests the snapshot, so that no
 * change is lost in between. An event is dropped unless it is newer than the known state of its subject.
 */
export class EngineState {
  phase = $state<"opening" | "ready" | "failed">("opening");
  startError = $state.raw<ErrorView | null>(null);
  /** The services in the order of `mcp.json`, without the untouched examples of a new file. */
  servers = $state.raw<ServerView[]>([]);
  config = $state.raw<ConfigView>({
    path: "",
    error: null,
    line: null,
    column: null,
    entry_errors: [],
    warnings: [],
  });
  secretStore = $state.raw<SecretStoreView>({ kind: "keychain", error: null });
  /** Whether all services are paused. */
  paused = $state(false);
  elicitations = $state.raw<ElicitationView[]>([]);
  /** The latest progress of each running call. */
  readonly progress = new SvelteMap<string, Progress>();
  /** The revision of the last change of each list, by the subject of its events. */
  readonly #listed = new SvelteMap<string, Revision>();

  #known = new Map<string, Revision>();
  /** The snapshot's revision. The snapshot contains every change up to this revision. */
  #floor: Revision = -1;
  /** The newest revision received, of any subject. */
  #newest: Revision = -1;
  /** The number of calls of `replace`. A snapshot that was requested before the latest call is ignored. */
  #engine = 0;
  #early: Event[] = [];
  #isLoading = false;
  #unsubscribe: (() => void) | null = null;

  constructor(private readonly backend: Backend) {}

  async start(): Promise<void> {
    this.phase = "opening";
    try {
      this.#unsubscribe ??= await this.backend.subscribe(
        (event) => this.receive(event),
        (snapshot) => this.replace(snapshot),
      );
      await this.reload();
      this.phase = "ready";
    } catch (thrown) {
      this.startError = errorView(thrown);
      this.phase = "failed";
    }
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  server(id: ServerId): ServerView | undefined {
    return this.servers.find((server) => server.id === id);
  }

  /** The error that keeps the secret store from being used. */
  get secretStoreError(): ErrorView | null {
    return this.secretStore.kind === "memory" ? null : this.secretStore.error;
  }

  /** The revision at which a server's tools, resources or prompts last changed. */
  listed(kind: OfferKind, id: ServerId): Revision | undefined {
    return this.#listed.get(`${kind}s_changed ${id}`);
  }

  receive(event: Event): void {
    // Revisions may have gaps: events for other programs are not sent here. If events are lost, a snapshot follows.
    if (this.#isLoading || this.#floor < 0) this.#early.push(event);
    else this.#apply(event);
  }

  /** Replaces the whole state, after a new engine took over or events were lost. */
  replace(snapshot: Snapshot): void {
    this.#engine += 1;
    this.#newest = -1;
    this.#early = [];
    this.#take(snapshot);
    this.phase = "ready";
  }

  async reload(): Promise<void> {
    const engine = this.#engine;
    this.#isLoading = true;
    try {
      const snapshot = await this.backend.snapshot();
      if (engine === this.#engine) this.#take(snapshot);
    } finally {
      this.#isLoading = false;
      if (this.#floor >= 0) for (const event of this.#early.splice(0)) this.#apply(event);
    }
  }

  #take(snapshot: Snapshot): void {
    if (snapshot.revision < this.#newest) return;
    this.#floor = snapshot.revision;
    this.#newest = snapshot.revision;
    this.#known.clear();
    this.servers = snapshot.servers.filter((server) => !server.is_example).map(withDemo);
    this.config = snapshot.config;
    this.secretStore = snapshot.secret_store;
    this.paused = snapshot.paused;
    this.elicitations = snapshot.elicitations;
  }

  #apply(event: Event): void {
    const subject = subjectOf(event);
    if (event.revision <= Math.max(this.#floor, this.#known.get(subject) ?? -1)) return;
    this.#known.set(subject, event.revision);
    this.#newest = Math.max(this.#newest, event.revision);

    switch (event.event) {
      case "server_changed": {
        const view = withDemo(event.view);
        if (view.is_example) this.servers = this.servers.filter((server) => server.id !== view.id);
        else if (!this.server(view.id)) this.servers = [...this.servers, view];
        else this.servers = this.servers.map((server) => (server.id === view.id ? view : server));
        break;
      }
      case "server_removed":
        this.servers = this.servers.filter((server) => server.id !== event.id);
        break;
      case "config_changed":
        this.config = event.config;
        this.servers = sorted(this.servers, event.order);
        break;
      case "config_rejected":
        this.config = event.config;
        break;
      case "secret_store_changed":
        this.secretStore = event.secret_store;
        break;
      case "tools_changed":
      case "resources_changed":
      case "prompts_changed":
        this.#listed.set(subject, event.revision);
        break;
      case "paused_changed":
        this.paused = event.paused;
        break;
      case "call_progressed":
        this.progress.set(event.call, event);
        break;
      // Sent only to a program that cannot ask a person.
      case "call_waits_for_answer":
        break;
      case "elicitation_requested":
        this.elicitations = [...this.elicitations, event.elicitation];
        break;
      case "elicitation_ended":
        this.elicitations = this.elicitations.filter((elicitation) => elicitation.id !== event.id);
        break;
    }
  }
}

/** Sets the demo's logo. The demo is not in the catalogue. */
function withDemo(view: ServerView): ServerView {
  return view.id === "demo" ? { ...view, catalogue: "demo" } : view;
}

/** An event's subject: a newer event replaces an older one of the same subject. */
function subjectOf(event: Event): string {
  switch (event.event) {
    case "server_changed":
      return `server ${event.view.id}`;
    case "server_removed":
      return `server ${event.id}`;
    case "config_changed":
    case "config_rejected":
      return "config";
    case "secret_store_changed":
    case "paused_changed":
      return event.event;
    case "tools_changed":
    case "resources_changed":
    case "prompts_changed":
      return `${event.event} ${event.id}`;
    case "call_progressed":
    case "call_waits_for_answer":
      return `call ${event.call}`;
    case "elicitation_requested":
      return `elicitation ${event.elicitation.id}`;
    case "elicitation_ended":
      return `elicitation ${event.id}`;
  }
}

/** Sorts servers in the order of `mcp.json`. Servers that are not in the file yet come last. */
function sorted(servers: ServerView[], order: ServerId[]): ServerView[] {
  const rank = new Map(order.map((id, index) => [id, index]));
  const last = order.length;
  return [...servers].sort((a, b) => (rank.get(a.id) ?? last) - (rank.get(b.id) ?? last));
}
