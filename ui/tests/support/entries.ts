import type {
  EntryCheckView,
  EntryDraftView,
  EntrySecretView,
  EntryView,
  LaunchView,
} from "../../src/backend/bindings";

type Json = {
  url?: string;
  command?: string;
  args?: string[];
  headers?: Record<string, string>;
  title?: string;
};

/** A check as the engine replies to it, without the engine's many rules. */
export function checkOf(text: string, name: string | null = null): EntryCheckView {
  const trimmed = text.slice(commentsOf(text).length).trim();
  if (trimmed === "notaurl") return refused("“notaurl” is neither an address nor a command with arguments.");
  const entry = entryOf(trimmed);
  if (!entry) return refused("This is no JSON.");
  const draft = draftOf(entry, name);
  return accepted({ ...draft, commented: `${commentsOf(text)}${draft.entry}` });
}

/** The comments above an entry. */
export function commentsOf(text: string): string {
  return /^(\/\/.*\n)*/.exec(text)?.[0] ?? "";
}

export function accepted(draft: EntryDraftView): EntryCheckView {
  return { draft, problems: [], choices: [] };
}

export function refused(message: string): EntryCheckView {
  const problem = {
    is_error: true,
    message,
    hint: "Enter an address, a command or JSON.",
    line: 1,
    column: 1,
  };
  return { draft: null, problems: [problem], choices: [] };
}

export function draftOf(entry: Json, name: string | null = null): EntryDraftView {
  const id = name ?? (entry.command ? "notes" : "example");
  const authorization = entry.headers && "Authorization" in entry.headers;
  return {
    id,
    name: entry.title ?? id,
    entry: JSON.stringify(entry, null, 2),
    commented: JSON.stringify(entry, null, 2),
    transport: entry.command ? "stdio" : "http",
    sign_in: entry.command ? "none" : authorization ? "header" : "o_auth",
    catalogue: null,
    address: entry.url ?? entry.command ?? "",
    launch: entry.command ? launchOf(entry) : null,
    secrets: secretsOf(entry),
    same_address: [],
    removes: { grant: false, secrets: [] },
  };
}

/** An entry that is edited, with a key in the secret store. */
export function entryView(): EntryView {
  const entry: Json = {
    url: "https://mcp.notion.com/mcp",
    headers: { "X-Api-Key": "{{notion_key}}", "X-Team": "red" },
  };
  const draft = draftOf(entry, "notion");
  const stored = draft.secrets.map((secret) => ({ ...secret, state: "stored" as const }));
  const text = `// Mine.\n${draft.entry}`;
  return { text, version: "v1", check: accepted({ ...draft, name: "Notion", secrets: stored }) };
}

function entryOf(text: string): Json | null {
  if (text.startsWith("{")) {
    try {
      return JSON.parse(text) as Json;
    } catch {
      return null;
    }
  }
  const [command, ...args] = text.split(" ");
  return args.length > 0 ? { command, args } : { url: text.includes("://") ? text : `https://${text}` };
}

function launchOf({ command = "", args = [] }: Json): LaunchView {
  return {
    command,
    arguments: args,
    environment: [],
    placeholders: [],
    folder: null,
    digest: `digest of ${[command, ...args].join(" ")}`,
  };
}

function secretsOf({ headers = {}, args = [] }: Json): EntrySecretView[] {
  const inHeaders = Object.entries(headers).map(([name, value]) => ({ setting: ["headers", name], value }));
  const all = [...inHeaders, ...args.map((value) => ({ setting: ["args"], value }))];
  return all.flatMap(({ setting, value }) => {
    const name = /\{\{(.*?)\}\}/.exec(value)?.[1];
    return name === undefined ? [] : [{ name, setting, state: "missing" as const }];
  });
}
