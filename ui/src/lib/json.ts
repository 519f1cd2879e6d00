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

/** Indents JSON text. Any other text is returned unchanged. */
export function prettyJson(text: string): string {
  const value = parse(text);
  return value === undefined ? text : JSON.stringify(value, null, 2);
}

/** Parses a JSON object. Returns `null` for any other text. */
export function jsonObject(text: string): Record<string, unknown> | null {
  const value = parse(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
}
