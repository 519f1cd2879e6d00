import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type { Closing, ConfigTextCheckView, ConfigTextView, ErrorView } from "../backend/bindings";
import type { Commands } from "./commands.svelte";

/** Milliseconds without a change before the text is checked. */
const PAUSE = 300;

/** The area of the commands of the editor. */
const AREA = "mcp_json";

/** Two texts that the person compares. `version` is that of the file that `after` replaces; `null` only shows them. */
export type Comparison = { before: string; after: string; version: string | null };

export type Place = { line: number; column: number };

/** The text of `mcp.json` that the person edits. It stays here when its page is left, until it is saved or discarded. */
export class ConfigEditor {
  /** The file as it was read; `null` before. The text is saved only over this file. */
  file = $state.raw<ConfigTextView | null>(null);
  /** The file as it is now, if it changed while the person edited it. */
  changed = $state.raw<ConfigTextView | null>(null);
  /** The newest check of the text. */
  check = $state.raw<ConfigTextCheckView | null>(null);
  /** The error of the last read or check, if the engine could not carry it out. */
  error = $state.raw<ErrorView | null>(null);
  comparison = $state.raw<Comparison | null>(null);
  /** The person's text that the file replaced. */
  replaced = $state.raw<string | null>(null);
  /** Whether the text was saved, and not changed since. */
  isSaved = $state(false);
  /** What the person wants to close, although the text is not saved. */
  closing = $state.raw<Closing | null>(null);
  /** The place that the editor should show, once. */
  place = $state.raw<Place | null>(null);
  #text = $state("");
  #hasReported = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the checks, so that a late reply of an earlier one is ignored. */
  #checks = 0;
  #pending: Promise<void> = Promise.resolve();

  constructor(
    private readonly backend: Backend,
    private readonly commands: Commands,
  ) {}

  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    if (text === this.#text) return;
    this.#text = text;
    this.isSaved = false;
    this.replaced = null;
    this.#report();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#startCheck(), PAUSE);
  }

  get isUnsaved(): boolean {
    return this.file !== null && this.#text !== this.file.text;
  }

  get canBeSaved(): boolean {
    return this.isUnsaved && this.check?.can_be_saved === true;
  }

  get isSaving(): boolean {
    return this.commands.isRunning(AREA);
  }

  get saveError(): ErrorView | null {
    return this.commands.error(AREA);
  }

  /** Reads the file, unless the person is editing it. */
  async open(): Promise<void> {
    if (this.file !== null) return this.look();
    const file = await this.#read();
    if (file !== null && this.file === null) this.#show(file);
  }

  /** Reads the file again. A change is shown, or reported if the person has unsaved text. */
  async look(): Promise<void> {
    const known = this.file;
    if (known === null || this.isSaving) return;
    const now = await this.#read();
    if (now === null || this.file !== known || this.isSaving) return;
    if (now.version === known.version) this.changed = null;
    else if (this.isUnsaved) this.changed = now;
    else this.#show(now);
  }

  /** Shows what another program changed in the file. */
  showChanges(): void {
    if (this.file === null || this.changed === null) return;
    this.comparison = { before: this.file.text, after: this.changed.text, version: null };
  }

  /** Replaces the text by the file as it is now. `bringBack` undoes it. */
  loadChanged(): void {
    if (this.changed === null) return;
    const mine = this.#text;
    this.#show(this.changed);
    this.replaced = mine;
  }

  bringBack(): void {
    if (this.replaced !== null) this.text = this.replaced;
  }

  /** Shows what the file loses and gets before the text is saved, unless it cannot be saved. */
  async compare(): Promise<void> {
    await this.settle();
    const over = this.changed ?? this.file;
    if (over === null || !this.canBeSaved) return;
    this.comparison = { before: over.text, after: this.#text, version: over.version };
  }

  endComparison(): void {
    this.comparison = null;
    this.commands.clearError(AREA);
  }

  /** Saves the text that the person compared. */
  async save(): Promise<void> {
    const { after, version } = this.comparison ?? {};
    if (after === undefined || version === undefined || version === null || this.isSaving) return;
    const outcome = await this.commands.run(AREA, () => this.backend.configTextSave(after, version));
    if (outcome === undefined) return;
    this.comparison = null;
    if (outcome.kind === "changed") {
      this.changed = outcome.file;
      return;
    }
    this.#show(outcome.file);
    this.isSaved = true;
  }

  /** Gives the unsaved text up. */
  discard(): void {
    const file = this.changed ?? this.file;
    if (file !== null) this.#show(file);
  }

  /** Asks the person whether the window may close or the app quit, if a text would be lost. */
  askToClose(closing: Closing): void {
    if (this.isUnsaved) this.closing = closing;
    else void this.backend.windowClose(closing).catch(() => undefined);
  }

  /** Closes what the person wanted to close, without the unsaved text. */
  async close(): Promise<void> {
    const { closing } = this;
    this.closing = null;
    if (closing === null) return;
    this.discard();
    await this.commands.run(AREA, () => this.backend.windowClose(closing));
  }

  /** Keeps the window open. */
  keepOpen(): void {
    this.closing = null;
    // The app's Rust side asks again only after this.
    this.#report(true);
  }

  /** Waits for the check of the last change. */
  async settle(): Promise<void> {
    if (this.#timer !== undefined) this.#startCheck();
    await this.#pending;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #read(): Promise<ConfigTextView | null> {
    try {
      const file = await this.backend.configTextRead();
      this.error = null;
      return file;
    } catch (thrown) {
      this.error = errorView(thrown);
      return null;
    }
  }

  #show(file: ConfigTextView): void {
    this.file = file;
    this.changed = null;
    this.replaced = null;
    this.isSaved = false;
    this.#text = file.text;
    this.#report();
    this.#startCheck();
  }

  #startCheck(): void {
    this.stop();
    this.#pending = this.#runCheck();
  }

  async #runCheck(): Promise<void> {
    const number = ++this.#checks;
    const result = await this.backend.configTextCheck(this.#text).then(
      (check) => ({ check, error: null }),
      (thrown: unknown) => ({ check: null, error: errorView(thrown) }),
    );
    if (number === this.#checks) Object.assign(this, result);
  }

  /** Reports to the app's Rust side whether closing the window would lose a text. */
  #report(isRepeated = false): void {
    const { isUnsaved } = this;
    if (isUnsaved === this.#hasReported && !isRepeated) return;
    this.#hasReported = isUnsaved;
    void this.backend.windowKeepsText(isUnsaved).catch(() => undefined);
  }
}
