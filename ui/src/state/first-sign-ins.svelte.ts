import { SvelteMap } from "svelte/reactivity";

import type { Backend } from "../backend/backend";
import type { ServerId, ServerView } from "../backend/bindings";
import { isSignedIn } from "../lib/account";
import type { EngineState } from "./engine.svelte";

/** A service that was added in this window and has not been signed in to. */
type Added = { addAgain: () => Promise<boolean>; forget: () => void };

export type Removed = { name: string; addAgain: () => Promise<boolean> };

function isUsed(server: ServerView): boolean {
  return server.status.state === "connected" || isSignedIn(server);
}

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
  begin(id: ServerId, addAgain: () => Promise<boolean>): void {
    this.removed = null;
    this.#added.get(id)?.forget();
    let wasSeen = false;
    const stop = $effect.root(() => {
      $effect(() => {
        const server = this.engine.server(id);
        // Another service of this name may follow one that was removed.
        if (server ? isUsed(server) : wasSeen) this.#forget(id);
        wasSeen ||= server !== undefined;
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
    if (!isFirst) return null;
    // The sign-in may have been completed meanwhile.
    await this.engine.reload();
    const added = this.#added.get(server.id);
    const now = this.engine.server(server.id);
    if (!added || !now || isUsed(now)) return null;
    this.#forget(server.id);
    await this.backend.serverRemove(server.id);
    return { name: server.name, addAgain: added.addAgain };
  }

  /** Adds the removed service again. If that fails, it can be tried again. */
  async undo(): Promise<void> {
    const { removed } = this;
    if (removed && (await removed.addAgain()) && this.removed === removed) this.removed = null;
  }

  /** Keeps a service whose entry the person has edited. */
  keep(id: ServerId): void {
    this.#forget(id);
  }

  stop(): void {
    for (const id of [...this.#added.keys()]) this.#forget(id);
  }

  #forget(id: ServerId): void {
    this.#added.get(id)?.forget();
    this.#added.delete(id);
  }
}
