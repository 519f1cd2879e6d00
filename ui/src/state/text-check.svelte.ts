import { errorView } from "../backend/error";
import type { ConfigTextCheckView, ErrorView } from "../backend/bindings";

/** Milliseconds without a change before a text is checked. */
const PAUSE = 300;

/** The check of a text that changes. Only the reply to the newest check counts. */
export class TextCheck {
  /** The newest result. It stays while a newer check runs. `null` before the first check, and after a failed one. */
  result = $state.raw<ConfigTextCheckView | null>(null);
  /** The error of the newest check, if the engine could not carry it out. */
  error = $state.raw<ErrorView | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the checks, so that a late reply of an earlier one is ignored. */
  #checks = 0;
  #pending: Promise<void> = Promise.resolve();

  constructor(private readonly check: () => Promise<ConfigTextCheckView>) {}

  /** Checks the text after a pause without another change. */
  schedule(): void {
    this.stop();
    this.#timer = setTimeout(() => this.start(), PAUSE);
  }

  /** Checks the text now. */
  start(): void {
    this.stop();
    this.#pending = this.#run();
  }

  /** Waits for the check of the last change. A check that failed is repeated. */
  async settle(): Promise<void> {
    await this.#pending;
    if (this.#timer !== undefined || this.error !== null) this.start();
    await this.#pending;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #run(): Promise<void> {
    const number = ++this.#checks;
    const outcome = await this.check().then(
      (result) => ({ result, error: null }),
      (thrown: unknown) => ({ result: null, error: errorView(thrown) }),
    );
    if (number === this.#checks) Object.assign(this, outcome);
  }
}
