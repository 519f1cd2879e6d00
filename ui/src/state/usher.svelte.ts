import { getContext, setContext } from "svelte";

import { errorView, type Backend } from "../backend/backend";
import type {
  AppInfo,
  CatalogueEntry,
  Client,
  ErrorView,
  NewServer,
  PromptView,
  RedirectKind,
  ResourceView,
  ServerId,
  ServerView,
  ToolView,
  PageRequest,
} from "../backend/types";
import { Appearance } from "./appearance.svelte";
import { EngineState } from "./engine.svelte";
import { Lists } from "./lists.svelte";
import { Work } from "./work.svelte";

/** What the main pane shows. */
export type Place =
  | { kind: "gallery" }
  | { kind: "set_up"; entry: CatalogueEntry }
  | { kind: "server"; id: ServerId }
  | { kind: "settings" };

/** Everything the window knows and can do, handed down by context. */
export class Usher {
  readonly engine: EngineState;
  readonly tools: Lists<ToolView>;
  readonly resources: Lists<ResourceView>;
  readonly prompts: Lists<PromptView>;
  readonly work = new Work();
  readonly appearance: Appearance;
  info = $state.raw<AppInfo | null>(null);
  catalogue = $state.raw<CatalogueEntry[]>([]);
  /** Something to tell in passing: a link that opened the app and belonged to no sign-in, a click that led nowhere. */
  notice = $state.raw<ErrorView | null>(null);
  /** Whether a dialog to add a service by its address is open. */
  addingByAddress = $state(false);

  #wanted = $state.raw<Place | null>(null);

  constructor(readonly backend: Backend) {
    this.engine = new EngineState(backend);
    this.tools = new Lists((id) => backend.serverTools(id));
    this.resources = new Lists((id) => backend.serverResources(id));
    this.prompts = new Lists((id) => backend.serverPrompts(id));
    this.appearance = new Appearance(backend);
  }

  async start(): Promise<void> {
    await Promise.all([this.#followWanted(), this.engine.start(), this.#learnCatalogue(), this.#learnInfo()]);
    await this.backend.startLink().catch((thrown: unknown) => (this.notice = errorView(thrown)));
  }

  /** After the engine could not start. */
  async startAgain(): Promise<void> {
    await this.work.run("app", async () => {
      await this.backend.appRetry();
      await this.engine.start();
    });
  }

  /** A click in the tray or on a notification leads to a service's page, or tells why it led nowhere. */
  async #followWanted(): Promise<void> {
    const follow = ({ server, error }: PageRequest) => {
      this.go({ kind: "server", id: server });
      this.notice = error;
    };
    await this.backend.subscribeWanted(follow).catch(() => undefined);
  }

  async #learnCatalogue(): Promise<void> {
    this.catalogue = await this.backend.catalogueList().catch(() => []);
  }

  async #learnInfo(): Promise<void> {
    this.info = await this.backend.appInfo().catch(() => null);
    if (this.info) this.appearance.remember(this.info.appearance);
  }

  /** A service that is gone gives its place to the first one, and the last one to the gallery. */
  get place(): Place {
    const wanted = this.#wanted;
    if (wanted && (wanted.kind !== "server" || this.engine.server(wanted.id))) return wanted;
    const first = this.engine.servers[0];
    return first ? { kind: "server", id: first.id } : { kind: "gallery" };
  }

  go(place: Place): void {
    this.#wanted = place;
  }

  /** The service that was added from this entry, if any. */
  added(entry: CatalogueEntry): ServerView | undefined {
    return this.engine.servers.find(
      (server) => server.catalogue === entry.slug || server.address === entry.url,
    );
  }

  /** One click: adds the service, shows it, and begins to sign in. */
  async connect(entry: CatalogueEntry): Promise<void> {
    const added = this.added(entry);
    if (added) return this.go({ kind: "server", id: added.id });
    if (entry.tier === "guided" && entry.setup) return this.go({ kind: "set_up", entry });
    await this.addAndSignIn("gallery", {
      name: entry.slug,
      url: entry.url,
      client_id: null,
      client_secret: null,
      scopes: null,
    });
  }

  async tryDemo(): Promise<void> {
    const id = await this.work.run("gallery", () => this.backend.demoAdd());
    if (id !== undefined) await this.#show(id);
  }

  /** Tells whether the service was added; a refused sign-in is shown on the service's own page. */
  async addAndSignIn(place: string, server: NewServer): Promise<boolean> {
    const id = await this.work.run(place, () => this.backend.serverAdd(server));
    if (id === undefined) return false;
    await this.#show(id);
    void this.signIn(id);
    return true;
  }

  /** The answer to a command may overtake the event that tells of its effect. */
  async #show(id: ServerId): Promise<void> {
    if (!this.engine.server(id)) await this.engine.refresh().catch(() => undefined);
    this.go({ kind: "server", id });
  }

  async signIn(id: ServerId, redirect?: RedirectKind, client?: Client): Promise<void> {
    await this.work.run(id, () => this.backend.serverSignIn(id, redirect, client));
  }
}

const KEY = Symbol("usher");

export function provideUsher(usher: Usher): Usher {
  return setContext(KEY, usher);
}

export function useUsher(): Usher {
  return getContext<Usher>(KEY);
}
