import type { Backend } from "../backend/backend";
import type { Appearance as Choice } from "../backend/types";

/** Light, dark or the system's appearance. The shell stores the choice and sets the window's theme. */
export class Appearance {
  #choice = $state<Choice>("system");
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get choice(): Choice {
    return this.#choice;
  }

  /** Sets the choice that the shell has stored. */
  load(choice: Choice): void {
    this.#choice = choice;
  }

  async choose(choice: Choice): Promise<void> {
    const before = this.#choice;
    this.#choice = choice;
    try {
      await this.#backend.appearanceSet(choice);
    } catch (thrown) {
      this.#choice = before;
      throw thrown;
    }
  }
}
