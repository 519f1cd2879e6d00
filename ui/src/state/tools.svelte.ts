import { SvelteMap } from "svelte/reactivity";

import { errorView, type Backend } from "../backend/backend";
import type { ErrorView, ServerId, ToolView } from "../backend/types";

export type ToolList =
  | { state: "loading"; tools: ToolView[] }
  | { state: "ready"; tools: ToolView[] }
  | { state: "failed"; tools: ToolView[]; error: ErrorView };

/** The tools of servers that were looked at. The last known ones stay in sight while they are asked for anew. */
export class Tools {
  readonly #lists = new SvelteMap<ServerId, ToolList>();
  readonly #asked = new Map<ServerId, number>();
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  of(id: ServerId): ToolList {
    return this.#lists.get(id) ?? { state: "loading", tools: [] };
  }

  async load(id: ServerId): Promise<void> {
    const turn = (this.#asked.get(id) ?? 0) + 1;
    this.#asked.set(id, turn);
    const tools = this.#lists.get(id)?.tools ?? [];
    this.#lists.set(id, { state: "loading", tools });
    const answer = await this.#backend.serverTools(id).then(
      (tools): ToolList => ({ state: "ready", tools }),
      (thrown): ToolList => ({ state: "failed", tools, error: errorView(thrown) }),
    );
    if (this.#asked.get(id) === turn) this.#lists.set(id, answer);
  }
}
