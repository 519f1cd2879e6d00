import { SvelteMap } from "svelte/reactivity";

import type { Backend } from "../backend/backend";
import { BackendError, errorView } from "../backend/error";
import type {
  EntryCheckView,
  EntryDraftView,
  EntryInput,
  EntrySecretView,
  ErrorView,
  SecretPlace,
  ServerId,
} from "../backend/bindings";
import { withoutLabel } from "../lib/account";
import {
  entryText,
  parseEntry,
  withPairs,
  withText,
  withValue,
  type Entry,
  type Setting,
} from "../lib/entry";

/** Milliseconds without a change before the text is checked. */
const PAUSE = 250;

type Secret = { place: SecretPlace; value: string };

/** The entry that a person adds or edits, with its newest check. */
export class EntryEditor {
  /** The name in `mcp.json` that the person chose. */
  name = $state("");
  /** The position of the server, if the text has several. */
  choice = $state(0);
  /** Whether the person edits the JSON instead of the fields. */
  isJson = $state(false);
  /** Whether the person adds another account of a service that exists. */
  isAnotherAccount = $state(false);
  /** The error of the last check, if the engine could not carry it out. */
  error = $state.raw<ErrorView | null>(null);
  #text = $state("");
  /** `null` before the text was accepted. */
  #entry = $state.raw<Entry | null>(null);
  #check = $state.raw<EntryCheckView | null>(null);
  #json = $state("");
  /** The newest JSON that was not written by the fields. They keep its comments. */
  #commented = "";
  /** Counts the changes of the JSON and the fields. */
  #changes = 0;
  /** Why the JSON lacks the newest values of the fields. It must not be saved. */
  #unwritten: ErrorView | null = null;
  /** The secrets that the person entered beside the entry, by the name or the setting of each. */
  readonly #secrets = new SvelteMap<string, Secret>();
  /** The headers whose values are among these secrets. */
  #keys = $state.raw<string[]>([]);
  /** The version of the entry that is edited; `null` before it was read. */
  #version = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the checks, so that a late reply of an earlier one is ignored. */
  #checks = 0;
  #pending: Promise<void> = Promise.resolve();

  /** `replaces` is the entry to edit; `null` adds a new one. */
  constructor(
    private readonly backend: Backend,
    readonly replaces: ServerId | null,
  ) {}

  /** The text that the person pasted: an address, a command or JSON. */
  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
    this.choice = 0;
    this.isAnotherAccount = false;
    this.#secrets.clear();
    this.#keys = [];
    this.#schedule(() => this.#checkText());
  }

  /** The JSON of the entry. */
  get json(): string {
    return this.#json;
  }

  set json(json: string) {
    this.#json = json;
    this.#changes += 1;
    this.#schedule(async () => {
      await this.#checkEntry(json, true);
      if (this.#json === json && this.draft) this.#commented = json;
    });
  }

  /** The entry as the fields show it. */
  get entry(): Entry {
    return this.#entry ?? {};
  }

  get draft(): EntryDraftView | null {
    return this.#check?.draft ?? null;
  }

  get check(): EntryCheckView | null {
    return this.#check;
  }

  /** Whether the fields can be shown. */
  get hasEntry(): boolean {
    return this.#entry !== null;
  }

  /** Whether the entry that is edited was read. The person must not type before, because the text would be replaced. */
  get isLoaded(): boolean {
    return this.#version !== null;
  }

  /** Reads the entry that is edited. */
  async load(id: ServerId): Promise<void> {
    const view = await this.backend.entryRead(id);
    this.#version = view.version;
    this.#accept(view.check);
    this.#json = this.#commented = view.text;
    this.isJson = view.check.draft === null;
  }

  /** Shows the JSON in place of the fields, or the fields again. */
  async toggleJson(): Promise<void> {
    // The last change of a field may not be in the JSON yet.
    await this.settle();
    if (this.#unwritten === null) this.isJson = !this.isJson;
  }

  async choose(choice: number): Promise<void> {
    this.stop();
    this.choice = choice;
    this.isAnotherAccount = false;
    // A secret that was entered for one server is never sent to another.
    this.#secrets.clear();
    this.#keys = [];
    this.#pending = this.#checkText();
    await this.#pending;
  }

  setText(setting: Setting, text: string): void {
    this.#change(withText(this.entry, setting, text));
  }

  setTexts(setting: Setting, texts: string[]): void {
    this.#change(withValue(this.entry, setting, texts.length > 0 ? texts : undefined));
  }

  setPairs(setting: Setting, pairs: [string, string][], kept: string[]): void {
    this.#change(withPairs(this.entry, setting, pairs, kept));
  }

  /** Whether the header's value is a key that the person enters beside the entry. */
  isNewKey(header: string): boolean {
    return this.#keys.includes(header);
  }

  addKey(header: string): void {
    this.#keys = [...this.#keys, header];
    this.#change(withValue(this.entry, ["headers", header], ""));
  }

  renameKey(before: string, after: string): void {
    if (after === "" || after === before) return;
    const value = this.secret({ setting: ["headers", before] });
    this.removeKey(before);
    this.setSecret({ setting: ["headers", after] }, value);
    this.addKey(after);
  }

  removeKey(header: string): void {
    this.#keys = this.#keys.filter((key) => key !== header);
    this.remove(["headers", header]);
  }

  /** Removes a setting with its secret. */
  remove(setting: Setting): void {
    this.#secrets.delete(keyOf({ setting: [...setting] }));
    this.#change(withValue(this.entry, setting, undefined));
  }

  secret(place: SecretPlace): string {
    return this.#secrets.get(keyOf(place))?.value ?? "";
  }

  setSecret(place: SecretPlace, value: string): void {
    if (value === "") this.#secrets.delete(keyOf(place));
    else this.#secrets.set(keyOf(place), { place, value });
  }

  /** The secrets that the person still has to enter. */
  get missing(): EntrySecretView[] {
    const secrets = this.draft?.secrets ?? [];
    return secrets.filter(
      ({ name, state }) => state === "missing" && name !== null && !this.secret({ name }),
    );
  }

  /** Begins an entry for another account of the service that has this text. */
  async addAccount(text: string): Promise<void> {
    this.text = text;
    await this.settle();
    const other = this.draft?.same_address[0];
    if (other && this.text === text) this.labelAccount(withoutLabel(other.name), "");
  }

  /** Turns this into an entry for another account. The person recognises the account by its `label`. */
  labelAccount(name: string, label: string): void {
    this.isAnotherAccount = true;
    const title = label.trim() === "" ? "" : `${name} (${label.trim()})`;
    this.setText(["title"], title);
  }

  /** The entry with its secrets, after the check of the last change. */
  async input(): Promise<EntryInput> {
    await this.settle();
    if (this.#unwritten !== null) throw new BackendError(this.#unwritten);
    const { draft } = this;
    // A placeholder may have been removed after its secret was entered.
    const isUsed = ({ place }: Secret): boolean =>
      place.name === undefined || (draft?.secrets.some(({ name }) => name === place.name) ?? true);
    return {
      // The name that was shown, which the pasted text may contain.
      name: this.name.trim() || draft?.id || null,
      entry: this.#json,
      secrets: [...this.#secrets.values()].filter(isUsed).map(asSent),
      approved: draft?.launch?.digest ?? null,
    };
  }

  /** Writes the entry in place of the one that is edited. */
  async replace(): Promise<ServerId> {
    if (this.replaces === null || this.#version === null) throw new Error("no entry is edited");
    await this.backend.entryReplace(this.replaces, this.#version, await this.input());
    return this.replaces;
  }

  /** Waits for the check of the last change. A check that failed is repeated. */
  async settle(): Promise<void> {
    await this.#pending;
    // A change that could not be written is tried again, too.
    if (this.#timer !== undefined || this.error !== null || this.#unwritten !== null) {
      this.stop();
      this.#pending = this.#next();
    }
    await this.#pending;
  }

  /** Ends the checks. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #next: () => Promise<void> = () => Promise.resolve();

  #schedule(check: () => Promise<void>): void {
    this.stop();
    this.#next = check;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pending = check();
    }, PAUSE);
  }

  #change(entry: Entry): void {
    this.#entry = entry;
    const change = ++this.#changes;
    this.#schedule(async () => {
      if (await this.#write(entry, change)) await this.#checkEntry(this.#json, false);
    });
  }

  /** Writes the fields into the JSON, which keeps its comments. Returns whether they are in it. */
  async #write(entry: Entry, change: number): Promise<boolean> {
    try {
      const merged = await this.backend.entryMerge(this.#commented, entryText(entry));
      if (change !== this.#changes) return false;
      this.#json = merged;
      this.#unwritten = null;
    } catch (thrown) {
      if (change === this.#changes) this.error = this.#unwritten = errorView(thrown);
    }
    return this.#unwritten === null;
  }

  async #checkText(): Promise<void> {
    const text = this.#text;
    this.#unwritten = null;
    if (text.trim() === "") {
      this.#checks += 1;
      this.#check = null;
      this.#entry = null;
      return;
    }
    await this.#run(
      () => this.backend.entryCheck(text, this.choice, null),
      (result) => {
        // The entry and the JSON of an earlier text must not be saved.
        this.#entry = null;
        this.#accept(result);
        this.#json = this.#commented = result.draft?.commented ?? "";
      },
    );
  }

  async #checkEntry(json: string, replacesFields: boolean): Promise<void> {
    const { replaces } = this;
    const name = this.name.trim() || this.draft?.id || null;
    const check =
      replaces === null
        ? () => this.backend.entryCheck(json, 0, name)
        : () => this.backend.entryCheckReplacement(replaces, json);
    await this.#run(check, (result) => {
      if (replacesFields) this.#accept(result);
      else this.#check = { ...result, choices: this.#check?.choices ?? [] };
    });
  }

  async #run(check: () => Promise<EntryCheckView>, accept: (result: EntryCheckView) => void): Promise<void> {
    const number = ++this.#checks;
    const result = await check().catch((thrown: unknown) => {
      if (number === this.#checks) this.error = errorView(thrown);
      return undefined;
    });
    if (number !== this.#checks || result === undefined) return;
    this.error = null;
    accept(result);
  }

  #accept(check: EntryCheckView): void {
    this.#check = check;
    if (check.draft === null) return;
    this.#entry = parseEntry(check.draft.entry);
  }
}

/** A key in the header `Authorization` is a bearer token, unless the person wrote another scheme before it. */
function asSent({ place, value }: Secret): Secret {
  const isAuthorization = place.setting?.join("\n").toLowerCase() === "headers\nauthorization";
  return { place, value: isAuthorization && !value.trim().includes(" ") ? `Bearer ${value.trim()}` : value };
}

function keyOf(place: SecretPlace): string {
  return JSON.stringify(place);
}
