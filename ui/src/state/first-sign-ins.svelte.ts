import { SvelteMap } from "svelte/reactivity";

import type { Backend } from "../backend/backend";
import type { ServerId, ServerView } from "../backend/bindings";
import { isSignedIn } from "../lib/account";
import type { EngineState } from "./engine.svelte";

/** A service that was added in this window and has not been signed in to. */
type Added = { addAgain: () => Promise<unknown>; forget: () => void };

export type Removed = { name: string; addAgain: () => Promise<unknown> };

/** The first sign-ins of services that were just added. Cancelling one removes the service again. */
export class FirstSignIns {
  /** The service that was removed by cancelling, until the person leaves the page or adds it again. */
  removed = $state.raw<Removed | null>(null);
  readonly #added = new SvelteMap<ServerId, Added>();

  constructor(
    private readonly backend: Backend,
    private readonly engine: EngineState,
  ) {}

  /** Follows a service that was just added, until it is signed in or connected. `addAgain` undoes its removal. */
  begin(id: ServerId, addAgain: () => Promise<unknown>): void {
    this.removed = null;
    this.#added.get(id)?.forget();
    const stop = $effect.root(() => {
      $effect(() => {
        const server = this.engine.server(id);
        if (server && (server.status.state === "connected" || isSignedIn(server))) this.#forget(id);
      });
    });
    this.#added.set(id, { addAgain, forget: stop });
  }

  /** Whether cancelling removes the service. */
  has(server: ServerView): boolean {
    return this.#added.has(server.id) && !isSignedIn(server);
  }

  /** Cancels a sign-in. Returns the service if that removed it. */
  async cancel(server: ServerView): Promise<Removed | null> {
    const isFirst = this.has(server);
    await this.backend.serverCancelSignIn(server.id);
    const added = this.#added.get(server.id);
    if (!isFirst || !added) return null;
    this.#forget(server.id);
    await this.backend.serverRemove(server.id);
    return { name: server.name, addAgain: added.addAgain };
  }

  /** Adds the removed service again. */
  undo(): void {
    const { removed } = this;
    this.removed = null;
    void removed?.addAgain();
  }

  stop(): void {
    for (const id of [...this.#added.keys()]) this.#forget(id);
  }

  #forget(id: ServerId): void {
    this.#added.get(id)?.forget();
    this.#added.delete(id);
  }
}
