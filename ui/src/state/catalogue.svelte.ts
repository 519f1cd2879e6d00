import type { Backend } from "../backend/backend";
import type { CatalogueEntry, ServerView, Setup } from "../backend/bindings";
import type { EngineState } from "./engine.svelte";

/** The known services, and which of them are added. */
export class Catalogue {
  entries = $state.raw<CatalogueEntry[]>([]);

  constructor(
    private readonly backend: Backend,
    private readonly engine: EngineState,
  ) {}

  /** Loads the catalogue. The window works without it: services can be added by their address. */
  async load(): Promise<void> {
    this.entries = await this.backend.catalogueList().catch(() => []);
  }

  /** The service that was added from this entry. */
  added(entry: CatalogueEntry): ServerView | undefined {
    return this.engine.servers.find(
      (server) => server.catalogue === entry.slug || server.address === entry.url,
    );
  }

  /** The setup steps of a service, from its entry. */
  setUp(server: ServerView): Setup | null {
    return this.entries.find((entry) => entry.slug === server.catalogue)?.setup ?? null;
  }
}
