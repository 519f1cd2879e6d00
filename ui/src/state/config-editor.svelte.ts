import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type { ConfigTextView, ErrorView } from "../backend/bindings";
import type { CloseQuestion } from "./close-question.svelte";
import type { Commands } from "./commands.svelte";
import { TextCheck } from "./text-check.svelte";

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
  /** The error of the last read. */
  readError = $state.raw<ErrorView | null>(null);
  comparison = $state.raw<Comparison | null>(null);
  /** The person's texts that the file replaced, the newest last. They are kept until a save or `discard`. */
  replaced = $state.raw<string[]>([]);
  /** Whether the text was saved, and not changed since. */
  isSaved = $state(false);
  /** The place that the editor should show, once. */
  place = $state.raw<Place | null>(null);
  readonly check: TextCheck;
  #text = $state("");
  /** Counts the reads and saves, so that a late reply to an earlier read is ignored. */
  #reads = 0;

  constructor(
    private readonly backend: Backend,
    private readonly commands: Commands,
    private readonly closeQuestion: CloseQuestion,
  ) {
    this.check = new TextCheck(() => backend.configTextCheck(this.#text));
  }

  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    if (text === this.#text) return;
    this.#text = text;
    this.isSaved = false;
    this.#report();
    this.check.schedule();
  }

  /** Whether the text differs from the file. */
  get isUnsaved(): boolean {
    return this.file !== null && this.#text !== this.file.text;
  }

  get canBeSaved(): boolean {
    return this.isUnsaved && this.check.result?.can_be_saved === true;
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
    if (this.file === null || this.isSaving) return;
    const now = await this.#read();
    if (now !== null && !this.isSaving) this.#update(this.file, now);
  }

  #update(file: ConfigTextView, now: ConfigTextView): void {
    const known = this.changed ?? file;
    if (now.version === file.version) this.changed = null;
    else if (this.isUnsaved && now.text !== this.#text) this.changed = now;
    else return this.#show(now);
    // The result of a check depends on the file too: hidden values are those of the file.
    if (now.version !== known.version || this.check.error !== null) this.check.start();
  }

  /** Whether the file changed after the person compared the text with it. The text can then not be saved over it. */
  get isComparisonOutdated(): boolean {
    const version = this.comparison?.version ?? null;
    return version !== null && version !== (this.changed ?? this.file)?.version;
  }

  /** Shows what another program changed in the file. */
  showChanges(): void {
    if (this.file === null || this.changed === null) return;
    this.comparison = { before: this.file.text, after: this.changed.text, version: null };
  }

  /** Replaces the text by the file as it is now. `bringBack` undoes it. */
  loadChanged(): void {
    if (this.changed === null) return;
    if (this.isUnsaved) this.replaced = [...this.replaced, this.#text];
    this.#show(this.changed);
  }

  /** Brings the newest replaced text back. An unsaved text in its place becomes the oldest one. */
  bringBack(): void {
    const mine = this.replaced.at(-1);
    if (mine === undefined) return;
    const others = this.replaced.slice(0, -1);
    this.replaced = this.isUnsaved ? [this.#text, ...others] : others;
    this.text = mine;
  }

  /** Gives up the replaced texts. */
  discardReplaced(): void {
    this.replaced = [];
    this.#report();
  }

  /** Shows what the file loses and gets before the text is saved, unless it cannot be saved. */
  async compare(): Promise<void> {
    await this.check.settle();
    const over = this.changed ?? this.file;
    if (over === null || !this.canBeSaved || this.isSaving) return;
    this.commands.clearError(AREA);
    this.comparison = { before: over.text, after: this.#text, version: over.version };
  }

  /** Ends the comparison, unless its text is being saved: the outcome must be seen. */
  endComparison(): void {
    if (!this.isSaving) this.comparison = null;
  }

  /** Saves the text that the person compared. */
  async save(): Promise<void> {
    const { after, version } = this.comparison ?? {};
    if (after === undefined || version === undefined || version === null) return;
    if (this.isSaving || this.isComparisonOutdated) return;
    this.#reads += 1;
    const outcome = await this.commands.run(AREA, () => this.backend.configTextSave(after, version));
    if (outcome === undefined) return;
    if (outcome.kind === "changed") {
      // The comparison stays open, and is now out of date.
      this.changed = outcome.file;
      return this.check.start();
    }
    this.comparison = null;
    this.replaced = [];
    if (this.isUnsaved && this.#text !== after) return this.#keepTextOver(outcome.file);
    this.#show(outcome.file);
    this.isSaved = true;
  }

  /** Gives up the unsaved text and the replaced ones. */
  discard(): void {
    this.comparison = null;
    this.replaced = [];
    const file = this.changed ?? this.file;
    if (file !== null) this.#show(file);
  }

  /** Reads the file. Returns `null` after an error, or if a newer read or a save makes the reply out of date. */
  async #read(): Promise<ConfigTextView | null> {
    const number = ++this.#reads;
    const { file, error } = await this.backend.configTextRead().then(
      (file) => ({ file, error: null }),
      (thrown: unknown) => ({ file: null, error: errorView(thrown) }),
    );
    if (number !== this.#reads) return null;
    this.readError = error;
    return file;
  }

  #show(file: ConfigTextView): void {
    this.file = file;
    this.changed = null;
    this.isSaved = false;
    this.#text = file.text;
    this.#report();
    this.check.start();
  }

  /** Takes the saved file without its text: the person typed on while it was saved. */
  #keepTextOver(file: ConfigTextView): void {
    this.file = file;
    this.changed = null;
    this.#report();
    this.check.start();
  }

  #report(): void {
    this.closeQuestion.report(this.isUnsaved || this.replaced.length > 0);
  }
}
