import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type { ElicitationAnswer, ElicitationView, ErrorView, ServerId } from "../backend/types";
import type { Commands } from "./commands.svelte";
import type { EngineState } from "./engine.svelte";
import type { Navigation } from "./navigation.svelte";

type Parts = { backend: Backend; engine: EngineState; commands: Commands; navigation: Navigation };

/** Requests from outside the window: elicitations and permissions from services, pages and links from the shell. */
export class Requests {
  /** A message above the page until it is dismissed, such as a link that belongs to no sign-in. */
  notice = $state.raw<ErrorView | null>(null);
  readonly #backend: Backend;
  readonly #engine: EngineState;
  readonly #commands: Commands;
  readonly #navigation: Navigation;

  constructor({ backend, engine, commands, navigation }: Parts) {
    this.#backend = backend;
    this.#engine = engine;
    this.#commands = commands;
    this.#navigation = navigation;
  }

  /** Opens each page that a click in the tray or on a notification requests, and shows the click's error, if any. */
  async followPages(): Promise<void> {
    await this.#backend
      .subscribeWanted(({ server, error }) => {
        this.#navigation.go({ kind: "service", id: server });
        this.notice = error;
      })
      .catch(() => undefined);
  }

  /** Shows why the link that opened the app could not be used. */
  async checkStartLink(): Promise<void> {
    await this.#backend.startLink().catch((thrown: unknown) => (this.notice = errorView(thrown)));
  }

  /** The elicitation to answer next. */
  get elicitation(): ElicitationView | null {
    return this.#engine.elicitations[0] ?? null;
  }

  isAnswering({ id }: ElicitationView): boolean {
    return this.#commands.isRunning(area(id));
  }

  error({ id }: ElicitationView): ErrorView | null {
    return this.#commands.error(area(id));
  }

  async answer(
    { id }: ElicitationView,
    answer: ElicitationAnswer,
    contentJson: string | null = null,
  ): Promise<void> {
    await this.#commands.run(area(id), () => this.#backend.elicitationAnswer(id, answer, contentJson));
  }

  /** Opens the page first: "accept" must not be sent for a page that could not be opened. */
  async openPage({ id }: ElicitationView, url: string): Promise<void> {
    await this.#commands.run(area(id), async () => {
      await this.#backend.linkOpen(url);
      await this.#backend.elicitationAnswer(id, "accept", null);
    });
  }

  async declinePermission(server: ServerId): Promise<void> {
    await this.#commands.run(server, () => this.#backend.serverDeclinePermission(server));
  }
}

function area(elicitation: string): string {
  return `elicitation ${elicitation}`;
}
