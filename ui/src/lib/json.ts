/** Parses JSON text. Returns `undefined` for any other text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isJson(text: string): boolean {
  return parse(text) !== undefined;
}

/** The parts of deeper values stay on one line, because their indentation would be longer than the text itself. */
const DEEPEST_INDENT = 50;

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** The longest text that is indented. A longer one is too long to be read, and indenting it takes a second or more. */
const MAX_LENGTH = 200_000;

/**
 * Indents JSON text. Any other text, and a very long one, is returned unchanged.
 *
 * `JSON.stringify(JSON.parse(text))` would round large numbers, drop repeated keys and reorder keys that are numbers.
 */
export function prettyJson(text: string): string {
  if (text.length > MAX_LENGTH || !isJson(text)) return text;
  const newLine = (levels: number) => (depth > DEEPEST_INDENT ? "" : "\n" + "  ".repeat(levels));
  let result = "";
  let depth = 0;
  let before = "";
  for (const [token] of text.matchAll(TOKENS)) {
    const isOpened = before === "{" || before === "[";
    if (token === "}" || token === "]") {
      if (!isOpened) result += newLine(depth - 1);
      depth -= 1;
    } else if (isOpened || before === ",") {
      result += newLine(depth);
    }
    if (token === "{" || token === "[") depth += 1;
    // The text of a string is shown without unnecessary escapes.
    const shown = token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token;
    result += token === ":" ? ": " : shown;
    before = token;
  }
  return result;
}

/** Parses a JSON object. Returns `null` for any other text. */
export function jsonObject(text: string): Record<string, unknown> | null {
  const value = parse(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
}
