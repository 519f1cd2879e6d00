import type { ConfigTextCheckView, ConfigTextView, EntryProblemView } from "../../src/backend/bindings";

export const TEXT = `{
  // The team's services.
  "mcpServers": {
    "notion": { "type": "http", "url": "https://mcp.notion.com/mcp" },
    "linear": { "type": "http", "url": "https://mcp.linear.app/mcp", "disabled": true }, // for now
    "notes": {
      "command": "npx",
      "args": ["-y", "@scope/server-notes"],
      "env": { "NOTES_TOKEN": "[hidden]", "RETRIES": "3" },
    },
  },
}
`;

/** The file with this text. */
export function textView(text = TEXT): ConfigTextView {
  return { text, version: `version of ${text}` };
}

export function problem(overrides: Partial<EntryProblemView> = {}): EntryProblemView {
  return {
    is_error: true,
    message: "This server has no `url`.",
    hint: 'Add "url": "https://…".',
    line: 4,
    column: 5,
    ...overrides,
  };
}

/** A check as the engine replies to it, with two of its rules: a word outside of quotes, and a missing address. */
export function checkOfText(text: string): ConfigTextCheckView {
  const lines = text.split("\n");
  const find = (part: RegExp): number => lines.findIndex((line) => part.test(line)) + 1;
  const oops = find(/oops/);
  if (oops > 0) {
    const column = (lines[oops - 1] ?? "").indexOf("oops") + 1;
    const hint = "Put text in double quotes. Only true, false and null need no quotes.";
    const problems = [problem({ message: "Unexpected word.", hint, line: oops, column })];
    return { problems, omitted: 0, can_be_saved: false };
  }
  const bare = find(/\{ "type": "http" \}/);
  return { problems: bare > 0 ? [problem({ line: bare })] : [], omitted: 0, can_be_saved: true };
}
