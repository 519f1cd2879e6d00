import { SvelteMap } from "svelte/reactivity";

import { errorView } from "../backend/error";
import type { ErrorView } from "../backend/bindings";

/** The commands in progress, and the last error of each area of the window ("settings", a server's id). */
export class Commands {
  readonly #running = new SvelteMap<string, number>();
  readonly #errors = new SvelteMap<string, ErrorView>();

  isRunning(area: string): boolean {
    return (this.#running.get(area) ?? 0) > 0;
  }

  error(area: string): ErrorView | null {
    return this.#errors.get(area) ?? null;
  }

  clearError(area: string): void {
    this.#errors.delete(area);
  }

  clearErrors(): void {
    this.#errors.clear();
  }

  /** Runs a command. Returns its value, or `undefined` after an error, which is stored for `area`. */
  async run<T>(area: string, command: () => Promise<T>): Promise<T | undefined> {
    this.#errors.delete(area);
    this.#running.set(area, (this.#running.get(area) ?? 0) + 1);
    try {
      return await command();
    } catch (thrown) {
      this.#errors.set(area, errorView(thrown));
      return undefined;
    } finally {
      this.#running.set(area, (this.#running.get(area) ?? 1) - 1);
    }
  }
}
