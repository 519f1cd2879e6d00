import type { Backend } from "../backend/backend";
import type { Appearance as Look } from "../backend/types";

/** Light, dark, or as the system has it. The shell keeps the choice and dresses the window, whose colours follow. */
export class Appearance {
  #look = $state<Look>("system");
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get look(): Look {
    return this.#look;
  }

  /** What the shell has kept. */
  remember(look: Look): void {
    this.#look = look;
  }

  async choose(look: Look): Promise<void> {
    const before = this.#look;
    this.#look = look;
    try {
      await this.#backend.appearanceSet(look);
    } catch (thrown) {
      this.#look = before;
      throw thrown;
    }
  }
}
