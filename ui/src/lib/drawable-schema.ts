import { jsonObject } from "./json";

/** The longest schema that is parsed. The largest known one has 80 kB. */
const MAX_LENGTH = 200_000;

/** The objects, lists and choices of the largest schema that is drawn as a form. Known schemas have at most 800. */
const MAX_VALUES = 3_000;

/** The deepest nesting that is drawn as a form. */
const MAX_DEPTH = 30;

/** Parses a JSON Schema. Returns `null` if it is invalid, or too large or too deep to be drawn as a form. */
export function drawableSchema(text: string): Record<string, unknown> | null {
  if (text.length > MAX_LENGTH) return null;
  const schema = jsonObject(text);
  return schema !== null && isSmall(schema) ? schema : null;
}

function isSmall(schema: unknown): boolean {
  let count = 0;
  let level = [schema];
  for (let depth = 0; level.length > 0; depth += 1) {
    count += level.length;
    if (depth > MAX_DEPTH || count > MAX_VALUES) return false;
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
  }
  return true;
}
