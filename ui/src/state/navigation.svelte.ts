import type { CatalogueEntry, ServerId, ServerView } from "../backend/bindings";
import type { EngineState, Offer, OfferKind } from "./engine.svelte";

/** The window's screens. "blank" is shown until a start counts as slow. "main" is the sidebar and a page. */
export type Screen = "blank" | "opening" | "command_running" | "start_failed" | "secret_store_error" | "main";

export type Page =
  | { kind: "gallery" }
  | { kind: "set_up"; entry: CatalogueEntry }
  | { kind: "service"; id: ServerId }
  | { kind: "settings" }
  | { kind: "secrets" }
  | { kind: "mcp_json" };

export type Tab = "tools" | "resources" | "prompts" | "details";

export type Dialog =
  // `account` is the service of which another account is added.
  | { kind: "add"; account?: CatalogueEntry }
  | { kind: "edit" }
  | { kind: OfferKind; item: Offer }
  | { kind: "remove" }
  | { kind: "secret_add" }
  | { kind: "secret_value" | "secret_remove"; name: string };

/** A value that belongs to a page. It is discarded when another page is shown. */
type OfPage<Value> = { pageKey: string; value: Value } | null;

/** The screen, page, tab and dialog that are shown. */
export class Navigation {
  /** Whether the start is slow enough to show the "Opening…" screen. */
  isSlowStart = $state(false);
  /** The page that the person wants to see instead of one with a text that is not saved. */
  leaving = $state.raw<Page | null>(null);
  #requested = $state.raw<Page | null>(null);
  #tab = $state.raw<OfPage<Tab>>(null);
  #dialog = $state.raw<OfPage<Dialog>>(null);
  #clientForm = $state.raw<OfPage<boolean>>(null);

  /**
   * `onleave` is called with each page that another one replaces. `isUnsaved` returns whether a page has a text that the
   * person must not lose without being asked.
   */
  constructor(
    private readonly engine: EngineState,
    private readonly onleave: (page: Page) => void = () => undefined,
    private readonly isUnsaved: (page: Page) => boolean = () => false,
  ) {}

  get screen(): Screen {
    const { phase, startError, secretStoreError } = this.engine;
    switch (phase) {
      case "opening":
        return this.isSlowStart ? "opening" : "blank";
      case "failed":
        return startError?.code === "engine_busy" ? "command_running" : "start_failed";
      case "ready":
        return secretStoreError ? "secret_store_error" : "main";
    }
  }

  /** The requested page. A removed service is replaced by the first service, or by the gallery if none is left. */
  get page(): Page {
    return this.#shown(this.#requested);
  }

  /** The service whose page is shown. */
  get server(): ServerView | undefined {
    const { page } = this;
    return page.kind === "service" ? this.engine.server(page.id) : undefined;
  }

  /** The page's identity. The scroll position, tab and dialog are reset when it changes. */
  get pageKey(): string {
    return keyOf(this.page);
  }

  /**
   * Shows a page. Unless it is already shown, it starts with its first tab and no dialog. If a text would be lost, the
   * person is asked first.
   */
  go(page: Page): void {
    const left = this.page;
    if (keyOf(this.#shown(page)) === keyOf(left)) {
      this.#requested = page;
      return;
    }
    if (this.isUnsaved(left)) {
      this.leaving = page;
      return;
    }
    this.leaving = null;
    this.#requested = page;
    this.onleave(left);
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

  /** Whether the person may be filling in a form that another page would discard. */
  get hasForm(): boolean {
    const { dialog } = this;
    return (
      dialog?.kind === "tool" ||
      dialog?.kind === "add" ||
      dialog?.kind === "edit" ||
      dialog?.kind === "secret_add" ||
      dialog?.kind === "secret_value" ||
      this.clientForm ||
      this.page.kind === "set_up" ||
      this.isUnsaved(this.page)
    );
  }

  #shown(requested: Page | null): Page {
    if (requested && (requested.kind !== "service" || this.engine.server(requested.id))) return requested;
    const first = this.engine.servers[0];
    return first ? { kind: "service", id: first.id } : { kind: "gallery" };
  }

  #valueOf<Value>(stored: OfPage<Value>): Value | null {
    return stored?.pageKey === this.pageKey ? stored.value : null;
  }
}

function keyOf(page: Page): string {
  switch (page.kind) {
    case "service":
      return `service ${page.id}`;
    case "set_up":
      return `set_up ${page.entry.slug}`;
    case "gallery":
    case "settings":
    case "secrets":
    case "mcp_json":
      return page.kind;
  }
}
