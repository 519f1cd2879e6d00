import { SvelteMap } from "svelte/reactivity";

import { errorView } from "../backend/error";
import type { ErrorView, ServerId } from "../backend/bindings";

type List<Item> =
  | { state: "unloaded" | "loading" | "ready"; items: Item[] }
  | { state: "failed"; items: Item[]; error: ErrorView };

/** One list of each server: its tools, resources or prompts. The last known items stay visible during a reload. */
export class Lists<Item> {
  readonly #lists = new SvelteMap<ServerId, List<Item>>();
  /** Counts the loads of each server, so that only the result of the latest load is stored. */
  readonly #loads = new Map<ServerId, number>();

  constructor(private readonly request: (id: ServerId) => Promise<Item[]>) {}

  get(id: ServerId): List<Item> {
    return this.#lists.get(id) ?? { state: "unloaded", items: [] };
  }

  async load(id: ServerId): Promise<void> {
    const load = (this.#loads.get(id) ?? 0) + 1;
    this.#loads.set(id, load);
    const { items } = this.get(id);
    this.#lists.set(id, { state: "loading", items });
    const list = await this.request(id).then(
      (items): List<Item> => ({ state: "ready", items }),
      (thrown): List<Item> => ({ state: "failed", items, error: errorView(thrown) }),
    );
    if (this.#loads.get(id) === load) this.#lists.set(id, list);
  }
}
