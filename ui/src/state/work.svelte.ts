import { SvelteMap } from "svelte/reactivity";

import { errorView } from "../backend/backend";
import type { ErrorView } from "../backend/types";

/** What the window has asked for and not heard back about, and what was refused, by the place that shows it. */
export class Work {
  readonly #running = new SvelteMap<string, number>();
  readonly #errors = new SvelteMap<string, ErrorView>();

  isRunning(place: string): boolean {
    return (this.#running.get(place) ?? 0) > 0;
  }

  error(place: string): ErrorView | null {
    return this.#errors.get(place) ?? null;
  }

  forget(place: string): void {
    this.#errors.delete(place);
  }

  /** What was refused for a reason that is gone. */
  forgetAll(): void {
    this.#errors.clear();
  }

  /** Does it, and keeps the refusal for `place`. Tells what came of it, or `undefined` after a refusal. */
  async run<T>(place: string, what: () => Promise<T>): Promise<T | undefined> {
    this.#errors.delete(place);
    this.#running.set(place, (this.#running.get(place) ?? 0) + 1);
    try {
      return await what();
    } catch (thrown) {
      this.#errors.set(place, errorView(thrown));
      return undefined;
    } finally {
      this.#running.set(place, (this.#running.get(place) ?? 1) - 1);
    }
  }
}
