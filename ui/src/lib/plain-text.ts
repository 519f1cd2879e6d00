/** The characters of a text that are shown. Laying out a megabyte takes seconds. */
export const MAX_SHOWN = 50_000;

/** The characters of a name or an address that are shown. */
export const MAX_NAME = 200;

/** The characters of a description that a summary is made of. */
const SUMMARY_SOURCE = 800;
const SUMMARY_LENGTH = 400;

/** Cuts a text after `length` characters, and marks the cut. */
export function shortened(text: string, length: number): string {
  // Half of a surrogate pair would be shown as a box.
  return text.length <= length ? text : `${text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** The beginning of a description as plain text in one line. Its time is linear, because no pattern goes back. */
export function summary(markdown: string): string {
  const source = shortened(markdown, SUMMARY_SOURCE);
  const text = source
    .replace(/<[^<>]*>/g, " ")
    .replace(/!?\[([^[\]]*)\]\([^()]*\)/g, "$1")
    .replace(/^[ \t]*(?:#{1,6}[ \t]|>|[-*+][ \t]|`{3}\w*|~{3}\w*)/gm, "")
    .replace(/[*`~]+|(?<!\w)_+|_+(?!\w)/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return shortened(text, SUMMARY_LENGTH);
}
