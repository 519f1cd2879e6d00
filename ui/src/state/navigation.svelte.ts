import type { CatalogueEntry, PromptView, ResourceView, ServerId, ToolView } from "../backend/types";
import type { EngineState } from "./engine.svelte";

/** The window's screens. "blank" is the short time before a start counts as slow; "main" has the sidebar and a page. */
export type Screen = "blank" | "opening" | "command_running" | "start_failed" | "secret_store_error" | "main";

export type Page =
  | { kind: "gallery" }
  | { kind: "set_up"; entry: CatalogueEntry }
  | { kind: "service"; id: ServerId }
  | { kind: "settings" };

export type Tab = "tools" | "resources" | "prompts" | "details";

export type Dialog =
  | { kind: "add_by_address" }
  | { kind: "tool"; tool: ToolView }
  | { kind: "resource"; resource: ResourceView }
  | { kind: "prompt"; prompt: PromptView }
  | { kind: "remove" };

/** A value that belongs to one page and is dropped with it. */
type OfPage<Value> = { pageKey: string; value: Value } | null;

/** The screen, page, tab and dialog in view. */
export class Navigation {
  /** Whether the start takes long enough to show that the window is opening. */
  isSlowStart = $state(false);
  #requested = $state.raw<Page | null>(null);
  #tab = $state.raw<OfPage<Tab>>(null);
  #dialog = $state.raw<OfPage<Dialog>>(null);
  #clientForm = $state.raw<OfPage<boolean>>(null);
  readonly #engine: EngineState;

  constructor(engine: EngineState) {
    this.#engine = engine;
  }

  get screen(): Screen {
    const { phase, startError, secretStoreError } = this.#engine;
    switch (phase) {
      case "opening":
        return this.isSlowStart ? "opening" : "blank";
      case "failed":
        return startError?.code === "engine_busy" ? "command_running" : "start_failed";
      case "ready":
        return secretStoreError ? "secret_store_error" : "main";
    }
  }

  /** The requested page. A removed service is replaced by the first one, or by the gallery if none is left. */
  get page(): Page {
    const requested = this.#requested;
    if (requested && (requested.kind !== "service" || this.#engine.server(requested.id))) return requested;
    const first = this.#engine.servers[0];
    return first ? { kind: "service", id: first.id } : { kind: "gallery" };
  }

  /** The page's identity: its scroll position, tab and dialog belong to it. */
  get pageKey(): string {
    const { page } = this;
    switch (page.kind) {
      case "service":
        return `service ${page.id}`;
      case "set_up":
        return `set_up ${page.entry.slug}`;
      case "gallery":
      case "settings":
        return page.kind;
    }
  }

  /** Goes to a page. If it is not in view already, it starts with its first tab and no dialog. */
  go(page: Page): void {
    const before = this.pageKey;
    this.#requested = page;
    if (this.pageKey === before) return;
    this.#tab = null;
    this.#dialog = null;
    this.#clientForm = null;
  }

  get tab(): Tab {
    return this.#valueOf(this.#tab) ?? "tools";
  }

  set tab(value: Tab) {
    this.#tab = { pageKey: this.pageKey, value };
  }

  get dialog(): Dialog | null {
    return this.#valueOf(this.#dialog);
  }

  openDialog(value: Dialog): void {
    this.#dialog = { pageKey: this.pageKey, value };
  }

  closeDialog(): void {
    this.#dialog = null;
  }

  /** Whether the page shows the form for a client ID. */
  get clientForm(): boolean {
    return this.#valueOf(this.#clientForm) ?? false;
  }

  set clientForm(value: boolean) {
    this.#clientForm = { pageKey: this.pageKey, value };
  }

  #valueOf<Value>(stored: OfPage<Value>): Value | null {
    return stored?.pageKey === this.pageKey ? stored.value : null;
  }
}
