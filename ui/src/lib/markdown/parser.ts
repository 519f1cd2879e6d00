import { Marked, walkTokens, type Token } from "marked";

import { isJson } from "../json";

/** The longest text to parse. Longer descriptions are cut, and longer results are shown as plain text. */
const MAX_LENGTH = 20_000;

/** The origin of a text. Results keep their line breaks, and show HTML as text. */
export type Source = "description" | "result";

export type Question = { text: string; source: Source };

/** The text as HTML that is not sanitised yet, or `null` if it is shown unchanged. */
export type Answer = string | null;

const PARSERS: Record<Source, Marked> = {
  description: new Marked({
    gfm: true,
    breaks: false,
    async: false,
    renderer: {
      // Only the parser writes tags, so that all tags are closed. A browser copies unclosed tags such as `<b>` into each
      // following paragraph, and a short text could become millions of elements.
      html: ({ text }) =>
        /^<br *\/?>$/i.test(text.trim()) ? "<br>" : escaped(text.replace(/<[^<>]*>/g, "")),
    },
  }),
  result: new Marked({
    gfm: true,
    breaks: true,
    async: false,
    renderer: {
      html: ({ text, block }) => (block ? `<pre>${escaped(text)}</pre>` : escaped(text)),
      image: ({ raw }) => escaped(raw),
    },
  }),
};

/**
 * Converts a server's markdown to HTML that is not sanitised yet. Returns `null` for a text to show unchanged: a result
 * that is not markdown, or a text that the parser rejects. A hostile text can take minutes.
 */
export function toHtml({ text, source }: Question): Answer {
  const parser = PARSERS[source];
  try {
    switch (source) {
      case "description":
        return parser.parse(text.slice(0, MAX_LENGTH)) as string;
      case "result": {
        if (text.length > MAX_LENGTH || !/[#`~|*\]]/.test(text) || isJson(text)) return null;
        const tokens = parser.lexer(text);
        return isMarkdown(tokens) ? parser.parser(tokens) : null;
      }
    }
  } catch {
    return null;
  }
}

/**
 * Whether a tool's text result is markdown. It must have markup that is rare in plain text: a heading, a fenced code
 * block, a table, bold text or a link with a label. Lists and `code` alone do not count, because they are readable as
 * plain text. A text that depends on its spaces, such as aligned columns or indented lines, is never markdown.
 */
function isMarkdown(tokens: Token[]): boolean {
  return !tokens.some(dependsOnSpaces) && hasMarkup(tokens);
}

function hasMarkup(tokens: Token[]): boolean {
  let isFound = tokens.some((token, index) => isHeading(token, tokens[index + 1]));
  walkTokens(tokens, (token) => {
    isFound ||= isMarkup(token);
  });
  return isFound;
}

/** Whether a token is a heading. A "# comment" directly above another line is more likely a script or a config file. */
function isHeading(token: Token, next: Token | undefined): boolean {
  if (token.type !== "heading" || !token.raw.startsWith("#")) return false;
  return token.depth > 1 || next === undefined || next.type === "space";
}

function isMarkup(token: Token): boolean {
  switch (token.type) {
    case "table":
      return true;
    case "code":
      return token.codeBlockStyle !== "indented";
    case "strong":
      // Excludes "__init__" and "src/**/test/**".
      return /^\*\*[^/._-]/.test(token.raw);
    case "link":
      return token.raw.startsWith("[") && /^https?:/i.test(String(token.href));
    default:
      return false;
  }
}

/** Whether a paragraph has indentation or runs of spaces, which rendering would remove. */
function dependsOnSpaces(token: Token): boolean {
  return token.type === "paragraph" && /^(?: {2,}|\t)\S|\S(?: {3,}|\t)\S/m.test(token.raw);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
