import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type { ErrorView, SecretsView, SecretView } from "../backend/bindings";
import type { Commands } from "./commands.svelte";

/** The last change that the person made. */
export type SecretChange = { kind: "stored" | "removed" | "allowed" | "withdrawn"; name: string };

/** The named secrets. No value is kept here: it goes from its field to the engine, and nothing returns it. */
export class Secrets {
  /** `null` before the list was loaded. The last known list stays visible during a reload, and after an error. */
  list = $state.raw<SecretsView | null>(null);
  /** The error of the last load. */
  error = $state.raw<ErrorView | null>(null);
  /** The last change, until the person leaves the page. */
  changed = $state.raw<SecretChange | null>(null);
  /** Counts the loads, so that only the result of the latest one is stored. */
  #loads = 0;

  constructor(
    private readonly backend: Backend,
    private readonly commands: Commands,
  ) {}

  async load(): Promise<void> {
    const load = ++this.#loads;
    const result = await this.backend.secrets().then(
      (list) => ({ list, error: null }),
      (thrown: unknown) => ({ list: this.list, error: errorView(thrown) }),
    );
    if (load === this.#loads) Object.assign(this, result);
  }

  find(name: string): SecretView | undefined {
    return this.list?.secrets.find((secret) => secret.name === name);
  }

  /** Whether an entry that cannot be read may use any secret. */
  get hasUnknownUses(): boolean {
    return this.list !== null && (this.list.config_error !== null || this.list.unknown_entries.length > 0);
  }

  /** Stores a new secret. Returns whether it was stored. */
  add(area: string, name: string, value: string): Promise<boolean> {
    return this.#change(area, "stored", name, () => this.backend.secretAdd(name, value));
  }

  /** Replaces the value of a secret, or stores a missing one. Returns whether it was stored. */
  set(area: string, name: string, value: string): Promise<boolean> {
    return this.#change(area, "stored", name, () => this.backend.secretSet(name, value));
  }

  remove(name: string): Promise<boolean> {
    return this.#change("secrets", "removed", name, () => this.backend.secretRemove(name));
  }

  allow(name: string, origin: string): Promise<boolean> {
    return this.#change("secrets", "allowed", name, () => this.backend.secretAllow(name, origin));
  }

  disallow(name: string, origin: string): Promise<boolean> {
    return this.#change("secrets", "withdrawn", name, () => this.backend.secretDisallow(name, origin));
  }

  async #change(
    area: string,
    kind: SecretChange["kind"],
    name: string,
    command: () => Promise<unknown>,
  ): Promise<boolean> {
    this.changed = null;
    const isDone = (await this.commands.run(area, async () => (await command(), true))) ?? false;
    if (isDone) this.changed = { kind, name };
    await this.load();
    return isDone;
  }
}
