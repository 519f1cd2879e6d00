import type { Backend } from "../backend/backend";
import type { Closing } from "../backend/bindings";

/** The question before the window closes or the app quits, if a text of the person would be lost. */
export class CloseQuestion {
  /** The window or the app, if the person wants to close it and has not answered yet. */
  closing = $state.raw<Closing | null>(null);
  #losesText = false;

  constructor(private readonly backend: Backend) {}

  /** Reports to the app's Rust side whether closing the window would lose a text. */
  report(losesText: boolean, isRepeated = false): void {
    if (losesText === this.#losesText && !isRepeated) return;
    this.#losesText = losesText;
    void this.backend.windowKeepsText(losesText).catch(() => undefined);
  }

  /** Asks the person, unless no text would be lost. */
  ask(closing: Closing): void {
    if (this.#losesText) this.closing = closing;
    else void this.backend.windowClose(closing).catch(() => undefined);
  }

  /** Keeps the window open. */
  keepOpen(): void {
    if (this.closing === null) return;
    this.closing = null;
    // The app's Rust side asks again only after this.
    this.report(this.#losesText, true);
  }

  /** Closes the window or the app. The person agreed to lose the text. */
  async close(): Promise<void> {
    const { closing } = this;
    this.closing = null;
    if (closing !== null) await this.backend.windowClose(closing);
  }
}
