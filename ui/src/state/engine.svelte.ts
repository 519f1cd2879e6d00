import { SvelteMap } from "svelte/reactivity";

import { errorView, type Backend } from "../backend/backend";
import type {
  ConfigView,
  ElicitationView,
  ErrorView,
  Event,
  Revision,
  SecretStoreView,
  ServerId,
  ServerView,
  Snapshot,
} from "../backend/types";
import { m } from "../paraglide/messages";

/** What a service may offer. */
export type OfferKind = "tool" | "resource" | "prompt";

export type Progress = { progress: number | null; total: number | null; message: string | null };

/**
 * What the engine last told, and nothing that it did not tell. It listens first and asks for the snapshot then, so
 * that no change falls between the two; an event that is not newer than what is known of its subject is dropped.
 */
export class EngineState {
  phase = $state<"opening" | "ready" | "failed">("opening");
  failure = $state.raw<ErrorView | null>(null);
  servers = $state.raw<ServerView[]>([]);
  config = $state.raw<ConfigView>({ path: "", error: null, line: null, column: null, warnings: [] });
  secretStore = $state.raw<SecretStoreView>({ kind: "keychain", error: null });
  /** The person paused everything: nothing is connected until it goes on. */
  paused = $state(false);
  elicitations = $state.raw<ElicitationView[]>([]);
  /** The newest word on each running call. */
  readonly progress = new SvelteMap<string, Progress>();
  /** Grows when a list of a server changed. */
  readonly #listed = new SvelteMap<string, Revision>();

  #known = new Map<string, Revision>();
  /** The revision of the snapshot: everything up to it is in. */
  #floor: Revision = -1;
  /** The newest revision heard of, whatever its subject. */
  #newest: Revision = -1;
  /** Grows when another engine took over; an answer of the one before is not of interest any more. */
  #engine = 0;
  #early: Event[] = [];
  #asking = false;
  #unsubscribe: (() => void) | null = null;
  #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async start(): Promise<void> {
    this.phase = "opening";
    try {
      this.#unsubscribe ??= await this.#backend.subscribe(
        (event) => this.hear(event),
        (snapshot) => this.replace(snapshot),
      );
      await this.#ask();
      this.phase = "ready";
    } catch (thrown) {
      this.failure = errorView(thrown);
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

  /** When a server last said that its tools, resources or prompts are other ones now. */
  listed(kind: OfferKind, id: ServerId): Revision | undefined {
    return this.#listed.get(`${kind} ${id}`);
  }

  /** Asks for the whole again. */
  async refresh(): Promise<void> {
    await this.#ask();
  }

  hear(event: Event): void {
    if (this.#asking || this.#floor < 0) {
      this.#early.push(event);
      return;
    }
    // Revisions may have gaps: what is another program's own is not told here. What was lost the shell says.
    this.#apply(event);
  }

  /** Another engine took over, or events were lost on the way: nothing known before counts. */
  replace(snapshot: Snapshot): void {
    this.#engine += 1;
    this.#newest = -1;
    this.#early = [];
    this.#take(snapshot);
    this.phase = "ready";
  }

  async #ask(): Promise<void> {
    const engine = this.#engine;
    this.#asking = true;
    try {
      const snapshot = await this.#backend.snapshot();
      if (engine === this.#engine) this.#take(snapshot);
    } finally {
      this.#asking = false;
      if (this.#floor >= 0) for (const event of this.#early.splice(0)) this.#apply(event);
    }
  }

  #take(snapshot: Snapshot): void {
    if (snapshot.revision < this.#newest) return;
    this.#floor = snapshot.revision;
    this.#newest = snapshot.revision;
    this.#known.clear();
    this.servers = snapshot.servers.map(named);
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
        const view = named(event.view);
        this.servers = this.server(view.id)
          ? this.servers.map((server) => (server.id === view.id ? view : server))
          : [...this.servers, view];
        break;
      }
      case "server_removed":
        this.servers = this.servers.filter((server) => server.id !== event.id);
        break;
      case "config_changed":
        this.config = event.config;
        this.servers = inOrder(this.servers, event.order);
        break;
      case "config_rejected":
        this.config = event.config;
        break;
      case "secret_store_changed":
        this.secretStore = event.secret_store;
        break;
      case "tools_changed":
        this.#listed.set(`tool ${event.id}`, event.revision);
        break;
      case "resources_changed":
        this.#listed.set(`resource ${event.id}`, event.revision);
        break;
      case "prompts_changed":
        this.#listed.set(`prompt ${event.id}`, event.revision);
        break;
      case "paused_changed":
        this.paused = event.paused;
        break;
      case "call_progressed":
        this.progress.set(event.call, event);
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

/** The demo inside the app is in no catalogue, and has no title of its own before the first sign-in. */
function named(view: ServerView): ServerView {
  return view.id === "demo" && view.name === "demo" ? { ...view, name: m.demo_name() } : view;
}

/** What an event speaks of: two events of one subject replace each other, those of different subjects do not. */
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
      return "secret store";
    case "paused_changed":
      return "paused";
    case "tools_changed":
      return `tools ${event.id}`;
    case "resources_changed":
      return `resources ${event.id}`;
    case "prompts_changed":
      return `prompts ${event.id}`;
    case "call_progressed":
      return `call ${event.call}`;
    case "elicitation_requested":
      return `elicitation ${event.elicitation.id}`;
    case "elicitation_ended":
      return `elicitation ${event.id}`;
  }
}

/** Servers as `mcp.json` has them; one that it does not name yet keeps its place at the end. */
function inOrder(servers: ServerView[], order: ServerId[]): ServerView[] {
  const place = new Map(order.map((id, index) => [id, index]));
  const last = order.length;
  return [...servers].sort((a, b) => (place.get(a.id) ?? last) - (place.get(b.id) ?? last));
}
