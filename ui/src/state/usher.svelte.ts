import { createContext } from "svelte";

import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type {
  CatalogueEntry,
  Client,
  EntryInput,
  NewServer,
  PromptView,
  ResourceView,
  ServerId,
  ServerView,
  ToolView,
} from "../backend/bindings";
import { App } from "./app.svelte";
import { Calls } from "./calls.svelte";
import { Catalogue } from "./catalogue.svelte";
import { CloseQuestion } from "./close-question.svelte";
import { Commands } from "./commands.svelte";
import { ConfigEditor, type Place } from "./config-editor.svelte";
import { EngineState } from "./engine.svelte";
import type { EntryEditor } from "./entry-editor.svelte";
import { FirstSignIns } from "./first-sign-ins.svelte";
import { Lists } from "./lists.svelte";
import { Navigation } from "./navigation.svelte";
import { Requests } from "./requests.svelte";
import { Secrets } from "./secrets.svelte";

/** Milliseconds before a start counts as slow. */
const SLOW_START = 250;

/** The window's state and commands. Components get it with `useUsher`. */
export class Usher {
  readonly engine: EngineState;
  readonly navigation: Navigation;
  readonly catalogue: Catalogue;
  readonly requests: Requests;
  readonly firstSignIns: FirstSignIns;
  readonly calls: Calls;
  readonly tools: Lists<ToolView>;
  readonly resources: Lists<ResourceView>;
  readonly prompts: Lists<PromptView>;
  readonly commands = new Commands();
  readonly secrets: Secrets;
  readonly closeQuestion: CloseQuestion;
  readonly configEditor: ConfigEditor;
  readonly app: App;
  #slowStart: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly backend: Backend) {
    this.engine = new EngineState(backend);
    this.closeQuestion = new CloseQuestion(backend);
    this.configEditor = new ConfigEditor(backend, this.commands, this.closeQuestion);
    this.navigation = new Navigation(
      this.engine,
      (page) => {
        this.commands.clearError(page.kind === "service" ? page.id : page.kind);
        this.requests.leavePage();
        this.firstSignIns.removed = null;
      },
      (page) => page.kind === "mcp_json" && this.configEditor.isUnsaved,
    );
    this.catalogue = new Catalogue(backend, this.engine);
    this.requests = new Requests(backend, this.engine, this.commands, this.navigation);
    this.firstSignIns = new FirstSignIns(backend, this.engine);
    this.calls = new Calls(backend, this.engine);
    this.tools = new Lists((id) => backend.serverTools(id));
    this.resources = new Lists((id) => backend.serverResources(id));
    this.prompts = new Lists((id) => backend.serverPrompts(id));
    this.secrets = new Secrets(backend, this.commands);
    this.app = new App(backend);
  }

  async start(): Promise<void> {
    this.#slowStart = setTimeout(() => (this.navigation.isSlowStart = true), SLOW_START);
    await Promise.all([
      this.requests.followPages(),
      this.backend.subscribeClose((closing) => this.closeQuestion.ask(closing)).catch(() => undefined),
      this.engine.start(),
      this.catalogue.load(),
      this.app.load(),
    ]);
    await this.requests.checkStartLink();
  }

  stop(): void {
    clearTimeout(this.#slowStart);
    this.firstSignIns.stop();
    this.configEditor.check.stop();
    this.engine.stop();
  }

  /** Opens the editor of `mcp.json`, at a place in it. */
  editConfig(place: Place | null = null): void {
    this.configEditor.place = place;
    this.navigation.go({ kind: "mcp_json" });
  }

  /** Saves the text of `mcp.json` that the person compared. If the person is asked whether to discard it, this answers. */
  async saveConfigText(): Promise<void> {
    await this.configEditor.save();
    const isAsked = this.navigation.leaving !== null || this.closeQuestion.request !== null;
    if (isAsked && !this.configEditor.isUnsaved) await this.discardConfigText();
  }

  /** Gives up the unsaved text of `mcp.json`. Then closes the window or shows the page, as the person asked. */
  async discardConfigText(): Promise<void> {
    const page = this.navigation.leaving;
    this.configEditor.discard();
    if (this.closeQuestion.request !== null)
      await this.closeQuestion.close().catch((thrown: unknown) => (this.requests.notice = errorView(thrown)));
    else if (page !== null) this.navigation.go(page);
  }

  /** Keeps the text of `mcp.json` on the page. */
  keepConfigText(): void {
    this.navigation.leaving = null;
    this.closeQuestion.keepOpen();
  }

  /** Starts the engine again after it failed to start. */
  async startAgain(): Promise<void> {
    await this.commands.run("app", async () => {
      await this.backend.appRetry();
      await this.engine.start();
    });
  }

  /**
   * Adds a service of the catalogue, shows it and starts its sign-in. If the service is already added or needs setup,
   * only shows its page.
   */
  async connect(entry: CatalogueEntry): Promise<void> {
    const added = this.catalogue.added(entry);
    if (added) return this.navigation.go({ kind: "service", id: added.id });
    if (entry.tier === "guided" && entry.setup) return this.navigation.go({ kind: "set_up", entry });
    await this.addAndSignIn("gallery", {
      name: entry.slug,
      url: entry.url,
      client_id: null,
      client_secret: null,
      scopes: null,
    });
  }

  async tryDemo(): Promise<void> {
    const id = await this.commands.run("gallery", () => this.backend.demoAdd());
    if (id !== undefined) await this.#show(id);
  }

  /**
   * Adds a service, shows it and starts its sign-in. Returns whether the service was added. If the sign-in fails, the
   * service's page shows the error.
   */
  async addAndSignIn(area: string, server: NewServer): Promise<boolean> {
    const id = await this.commands.run(area, () => this.backend.serverAdd(server));
    if (id === undefined) return false;
    await this.#beginFirstSignIn(id, () => this.addAndSignIn(area, server));
    return true;
  }

  /** Adds an entry, shows its page, and starts its sign-in if `signsIn`. Returns whether the entry was added. */
  async addEntry(area: string, editor: EntryEditor, signsIn: boolean): Promise<boolean> {
    const input = await this.commands.run(area, () => editor.input());
    return input !== undefined && this.#addInput(area, input, signsIn);
  }

  async #addInput(area: string, input: EntryInput, signsIn: boolean): Promise<boolean> {
    const id = await this.commands.run(area, () => this.backend.entryAdd(input));
    if (id === undefined) return false;
    if (signsIn) await this.#beginFirstSignIn(id, () => this.#addInput("gallery", input, signsIn));
    else await this.#show(id);
    return true;
  }

  async #beginFirstSignIn(id: ServerId, addAgain: () => Promise<boolean>): Promise<void> {
    this.firstSignIns.begin(id, addAgain);
    await this.#show(id);
    void this.signIn(id);
  }

  /** Replaces an entry. Returns whether it was written. */
  async saveEntry(area: string, editor: EntryEditor): Promise<boolean> {
    const id = await this.commands.run(area, () => editor.replace());
    if (id !== undefined) this.firstSignIns.keep(id);
    return id !== undefined;
  }

  /** Shows an added service. The reply to the command may arrive before the event that adds the service. */
  async #show(id: ServerId): Promise<void> {
    if (!this.engine.server(id)) await this.engine.reload().catch(() => undefined);
    this.navigation.go({ kind: "service", id });
  }

  /** Opens a link in a service's texts in the browser. */
  async openLink(id: ServerId, url: string): Promise<void> {
    await this.commands.run(id, () => this.backend.linkOpen(url));
  }

  /** Starts a sign-in. Returns whether it was started. */
  async signIn(id: ServerId, client?: Client): Promise<boolean> {
    const isStarted = async () => (await this.backend.serverSignIn(id, client), true);
    return (await this.commands.run(id, isStarted)) ?? false;
  }

  /** Cancels a sign-in. A service that was just added is removed, which the person can undo. */
  async cancelSignIn(server: ServerView): Promise<void> {
    const removed = await this.commands.run(server.id, () => this.firstSignIns.cancel(server));
    if (!removed) return;
    this.navigation.go({ kind: "gallery" });
    this.firstSignIns.removed = removed;
  }
}

export const [useUsher, provideUsher] = createContext<Usher>();
