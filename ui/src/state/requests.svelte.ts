import { SvelteSet } from "svelte/reactivity";

import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type {
  ElicitationAnswer,
  ElicitationView,
  ErrorView,
  SecretRequestView,
  ServerId,
  ServerView,
} from "../backend/bindings";
import type { Commands } from "./commands.svelte";
import type { EngineState } from "./engine.svelte";
import type { Navigation } from "./navigation.svelte";

/** Requests from outside the window: elicitations and permissions from services, pages and links from the desktop. */
export class Requests {
  /** A message above the page until it is dismissed, such as a link that belongs to no sign-in. */
  notice = $state.raw<ErrorView | null>(null);
  /** Whether the notice concerns only the current page. */
  #isNoticeOfPage = false;
  #arrived = $state<ServerId | null>(null);
  /** The ids of the questions that the person put aside. */
  readonly #aside = new SvelteSet<string>();

  constructor(
    private readonly backend: Backend,
    private readonly engine: EngineState,
    private readonly commands: Commands,
    private readonly navigation: Navigation,
  ) {}

  /**
   * Shows each page that a click in the tray or on a notification requests, with the click's error, if any. The page
   * of a service whose sign-in is done does not replace a form.
   */
  async followPages(): Promise<void> {
    await this.backend
      .subscribePages(({ server, error, question, after_sign_in }) => {
        if (after_sign_in && this.navigation.hasForm && this.navigation.server?.id !== server) {
          this.#arrived = server;
          return;
        }
        this.navigation.go({ kind: "service", id: server });
        if (after_sign_in) return;
        this.notice = error;
        this.#isNoticeOfPage = error !== null;
        if (question !== null) this.#aside.delete(question);
      })
      .catch(() => undefined);
  }

  /** Removes what concerns only the page that is left, or the page that is now shown. */
  leavePage(): void {
    if (this.#isNoticeOfPage) this.notice = null;
    this.#isNoticeOfPage = false;
    if (this.navigation.server?.id === this.#arrived) this.#arrived = null;
  }

  /** The service whose sign-in is done while a form kept its page from being shown. */
  get arrived(): ServerView | undefined {
    return this.#arrived === null ? undefined : this.engine.server(this.#arrived);
  }

  /** Shows the error of the link that opened the app, if any. */
  async checkStartLink(): Promise<void> {
    await this.backend.startLink().catch((thrown: unknown) => (this.notice = errorView(thrown)));
  }

  /** The elicitation to answer next, unless all were put aside. */
  get elicitation(): ElicitationView | null {
    return this.engine.elicitations.find(({ id }) => !this.#aside.has(id)) ?? null;
  }

  /** The elicitations that were put aside and are still open. */
  get aside(): ElicitationView[] {
    return this.engine.elicitations.filter(({ id }) => this.#aside.has(id));
  }

  /** Hides an elicitation without an answer, until `reopen`. */
  putAside({ id }: ElicitationView): void {
    this.#aside.add(id);
  }

  /** Shows the elicitations that were put aside. */
  reopen(): void {
    this.#aside.clear();
  }

  isAnswering({ id }: ElicitationView): boolean {
    return this.commands.isRunning(area(id));
  }

  error({ id }: ElicitationView): ErrorView | null {
    return this.commands.error(area(id));
  }

  async answer(
    { id }: ElicitationView,
    answer: ElicitationAnswer,
    contentJson: string | null,
  ): Promise<void> {
    await this.commands.run(area(id), () => this.backend.elicitationAnswer(id, answer, contentJson));
  }

  /** Opens an elicitation's page, then answers "accept". If the page cannot be opened, no answer is sent. */
  async openPage({ id }: ElicitationView, url: string): Promise<void> {
    await this.commands.run(area(id), async () => {
      await this.backend.linkOpen(url);
      await this.backend.elicitationAnswer(id, "accept", null);
    });
  }

  /** Allows each of these secrets for its origin. */
  async allowSecrets(server: ServerId, requests: SecretRequestView[]): Promise<void> {
    await this.commands.run(server, async () => {
      for (const { secret, origin } of requests) await this.backend.secretAllow(secret, origin);
    });
  }

  /** Approves the launch of a local program that has this digest. */
  async approveProgram(server: ServerId, digest: string): Promise<void> {
    await this.commands.run(server, () => this.backend.programApprove(server, digest));
  }

  /** Declines all elicitations of this service, now and later. */
  async block({ id, server }: ElicitationView): Promise<void> {
    await this.commands.run(area(id), () => this.backend.serverVerb(server, "block_questions"));
  }

  async declinePermission(server: ServerId): Promise<void> {
    await this.commands.run(server, () => this.backend.serverDeclinePermission(server));
  }
}

function area(elicitation: string): string {
  return `elicitation ${elicitation}`;
}
