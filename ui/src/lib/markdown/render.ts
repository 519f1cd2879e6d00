import type { Source } from "./parser";
import { ParserThread } from "./parser-thread";

const thread = new ParserThread();

/**
 * Renders a server's markdown. A link becomes a button that calls `open`. Returns `null` if the text is to be shown
 * unchanged.
 */
export async function render(
  text: string,
  source: Source,
  open: ((url: string) => void) | undefined,
  signal: AbortSignal,
): Promise<DocumentFragment | null> {
  const html = await thread.ask({ text, source }, signal);
  if (html === null) return null;
  // Loaded on first use, to keep it out of the start.
  const { sanitized } = await import("./sanitizer");
  return sanitized(html, open);
}
