import type { EntrySecretView } from "../backend/bindings";

/** The object of an entry of `mcp.json`. It may have any contents. */
export type Entry = Readonly<Record<string, unknown>>;
/** The keys that lead to a setting, such as `headers` and `X-Api-Key`. */
export type Setting = readonly string[];

/** Parses an entry. Returns an empty one for other JSON. */
export function parseEntry(json: string): Entry {
  const value: unknown = JSON.parse(json);
  return isObject(value) ? value : {};
}

export function entryText(entry: Entry): string {
  return JSON.stringify(entry, null, 2);
}

/** The text of a setting, or an empty text. */
export function textAt(entry: Entry, setting: Setting): string {
  const value = valueAt(entry, setting);
  return typeof value === "string" ? value : "";
}

/** The texts of a list. */
export function textsAt(entry: Entry, setting: Setting): string[] {
  const value = valueAt(entry, setting);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The names and texts of an object. */
export function pairsAt(entry: Entry, setting: Setting): [string, string][] {
  const value = valueAt(entry, setting);
  if (!isObject(value)) return [];
  return Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string");
}

/** Sets a setting, or removes it if the value is undefined. An object that becomes empty is removed. */
export function withValue(entry: Entry, setting: Setting, value: unknown): Entry {
  const [key, ...rest] = setting;
  if (key === undefined) return entry;
  const inner = isObject(entry[key]) ? entry[key] : {};
  const next = rest.length > 0 ? withValue(inner, rest, value) : value;
  const isEmpty = next === undefined || (rest.length > 0 && isObject(next) && Object.keys(next).length === 0);
  if (!isEmpty) return { ...entry, [key]: next };
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== key));
}

/** Sets a text, or removes it if it is empty. */
export function withText(entry: Entry, setting: Setting, text: string): Entry {
  return withValue(entry, setting, text === "" ? undefined : text);
}

/** Replaces the pairs of an object. Pairs without a name are left out, and those in `kept` stay as they are. */
export function withPairs(entry: Entry, setting: Setting, pairs: [string, string][], kept: string[]): Entry {
  const others = pairsAt(entry, setting).filter(([name]) => kept.includes(name));
  const all = Object.fromEntries([...others, ...pairs.filter(([name]) => name !== "")]);
  return withValue(entry, setting, Object.keys(all).length > 0 ? all : undefined);
}

/** Whether a secret is at a setting. */
export function isAt(secret: EntrySecretView, setting: Setting): boolean {
  return secret.setting.join("\n") === setting.join("\n");
}

function valueAt(entry: Entry, setting: Setting): unknown {
  return setting.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), entry);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
