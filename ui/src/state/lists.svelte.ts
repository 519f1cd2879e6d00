import { SvelteMap } from "svelte/reactivity";

import { errorView } from "../backend/backend";
import type { ErrorView, ServerId } from "../backend/types";

export type List<Item> =
  | { state: "unasked" | "loading" | "ready"; items: Item[] }
  | { state: "failed"; items: Item[]; error: ErrorView };

/** What servers that were looked at offer of one kind. The last known stays in sight while it is asked for anew. */
export class Lists<Item> {
  readonly #lists = new SvelteMap<ServerId, List<Item>>();
  readonly #turns = new Map<ServerId, number>();
  readonly #ask: (id: ServerId) => Promise<Item[]>;

  constructor(ask: (id: ServerId) => Promise<Item[]>) {
    this.#ask = ask;
  }

  of(id: ServerId): List<Item> {
    return this.#lists.get(id) ?? { state: "unasked", items: [] };
  }

  async load(id: ServerId): Promise<void> {
    const turn = (this.#turns.get(id) ?? 0) + 1;
    this.#turns.set(id, turn);
    const { items } = this.of(id);
    this.#lists.set(id, { state: "loading", items });
    const answer = await this.#ask(id).then(
      (items): List<Item> => ({ state: "ready", items }),
      (thrown): List<Item> => ({ state: "failed", items, error: errorView(thrown) }),
    );
    if (this.#turns.get(id) === turn) this.#lists.set(id, answer);
  }
}
