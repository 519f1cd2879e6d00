import type { Backend } from "../backend/backend";
import type { Closing } from "../backend/bindings";

/** The question before the window closes or the app quits, if a text of the person would be lost. */
export class CloseQuestion {
  /** The request of the person to close, until it is answered. Each request is a new object and acknowledged once. */
  request = $state.raw<{ closing: Closing } | null>(null);
  #losesText = false;

  constructor(private readonly backend: Backend) {}

  /** Reports to the app's Rust side whether closing the window would lose a text. */
  report(losesText: boolean): void {
    if (losesText === this.#losesText) return;
    this.#losesText = losesText;
    void this.backend.windowKeepsText(losesText).catch(() => undefined);
  }

  /** Asks the person, unless no text would be lost. */
  ask(closing: Closing): void {
    if (this.#losesText) this.request = { closing };
    else void this.backend.windowClose(closing).catch(() => undefined);
  }

  /** Tells the app's Rust side that the question is shown. Otherwise, the next request closes the window. */
  acknowledge(): void {
    void this.backend.windowAsksPerson().catch(() => undefined);
  }

  /** Keeps the window open. */
  keepOpen(): void {
    this.request = null;
  }

  /** Closes the window or the app. The person agreed to lose the text. */
  async close(): Promise<void> {
    const { request } = this;
    this.request = null;
    if (request !== null) await this.backend.windowClose(request.closing);
  }
}
