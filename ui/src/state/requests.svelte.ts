import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type {
  ElicitationAnswer,
  ElicitationView,
  ErrorView,
  SecretRequestView,
  ServerId,
} from "../backend/bindings";
import type { Commands } from "./commands.svelte";
import type { EngineState } from "./engine.svelte";
import type { Navigation } from "./navigation.svelte";

/** Requests from outside the window: elicitations and permissions from services, pages and links from the desktop. */
export class Requests {
  /** A message above the page until it is dismissed, such as a link that belongs to no sign-in. */
  notice = $state.raw<ErrorView | null>(null);

  constructor(
    private readonly backend: Backend,
    private readonly engine: EngineState,
    private readonly commands: Commands,
    private readonly navigation: Navigation,
  ) {}

  /** Shows each page that a click in the tray or on a notification requests, with the click's error, if any. */
  async followPages(): Promise<void> {
    await this.backend
      .subscribePages(({ server, error }) => {
        this.navigation.go({ kind: "service", id: server });
        this.notice = error;
      })
      .catch(() => undefined);
  }

  /** Shows the error of the link that opened the app, if any. */
  async checkStartLink(): Promise<void> {
    await this.backend.startLink().catch((thrown: unknown) => (this.notice = errorView(thrown)));
  }

  /** The elicitation to answer next. */
  get elicitation(): ElicitationView | null {
    return this.engine.elicitations[0] ?? null;
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

  async declinePermission(server: ServerId): Promise<void> {
    await this.commands.run(server, () => this.backend.serverDeclinePermission(server));
  }
}

function area(elicitation: string): string {
  return `elicitation ${elicitation}`;
}
