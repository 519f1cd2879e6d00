/** The lines of a list, compared with an earlier version of it. */

export type Line = { text: string; mark: "same" | "new" | "removed" };

/**
 * Marks the lines between the common beginning and the common end of both lists: the earlier ones as removed, before the
 * new ones. Without an earlier list, nothing is marked.
 */
export function marked(lines: string[], earlier: string[] | null): Line[] {
  const before = earlier ?? lines;
  const shortest = Math.min(lines.length, before.length);
  let start = 0;
  while (start < shortest && lines[start] === before[start]) start += 1;
  let end = 0;
  while (end < shortest - start && lines.at(-1 - end) === before.at(-1 - end)) end += 1;
  const as = (mark: Line["mark"]) => (text: string) => ({ text, mark });
  return [
    ...lines.slice(0, start).map(as("same")),
    ...before.slice(start, before.length - end).map(as("removed")),
    ...lines.slice(start, lines.length - end).map(as("new")),
    ...lines.slice(lines.length - end).map(as("same")),
  ];
}
