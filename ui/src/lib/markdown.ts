import DOMPurify from "dompurify";
import { Marked, walkTokens, type Token } from "marked";

import { isJson } from "./json";

/** The longest text to parse. Longer descriptions are cut, and longer results are shown as plain text. */
const MAX_LENGTH = 20_000;

const TAGS = [
  ...["p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a"],
  ...["h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"],
];

/** The origin of a text. Results keep their line breaks, and show HTML as text. */
export type Source = "description" | "result";

const PARSERS: Record<Source, Marked> = {
  description: new Marked({ gfm: true, breaks: false, async: false }),
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
 * Renders a server's markdown without images, styles, ids, handlers or anchors. A link becomes a button that shows its
 * host and calls `open` when it is pressed. Without `open`, a link becomes text.
 */
export function render(markdown: string, source: Source, open?: (url: string) => void): DocumentFragment {
  const text = markdown.slice(0, MAX_LENGTH);
  let fragment: DocumentFragment;
  try {
    fragment = DOMPurify.sanitize(PARSERS[source].parse(text) as string, {
      ALLOWED_TAGS: TAGS,
      ALLOWED_ATTR: ["href"],
      ALLOW_ARIA_ATTR: false,
      ALLOW_DATA_ATTR: false,
      ALLOWED_URI_REGEXP: /^https:\/\//i,
      RETURN_DOM_FRAGMENT: true,
    });
  } catch {
    fragment = document.createDocumentFragment();
    fragment.append(text);
  }
  for (const anchor of fragment.querySelectorAll("a")) anchor.replaceWith(...link(anchor, open));
  return fragment;
}

/**
 * Whether a tool's text result is markdown. It must have markup that is rare in plain text: a heading, a fenced code
 * block, a table, bold text or a link with a label. Lists and `code` alone do not count, because they are readable as
 * plain text. A text that depends on its spaces, such as aligned columns or indented lines, is never markdown.
 */
export function isMarkdown(text: string): boolean {
  if (text.length > MAX_LENGTH || !/[#`~|*\]]/.test(text) || isJson(text)) return false;
  try {
    const tokens = PARSERS.result.lexer(text);
    return !tokens.some(dependsOnSpaces) && hasMarkup(tokens);
  } catch {
    return false;
  }
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

function link(anchor: HTMLAnchorElement, open?: (url: string) => void): Node[] {
  const label = anchor.textContent ?? "";
  const url = target(anchor.getAttribute("href"));
  if (!url || !open) return [document.createTextNode(label)];
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label.trim() || url.host;
  button.addEventListener("click", () => open(url.href));
  const host = document.createElement("small");
  host.textContent = ` (${url.host})`;
  return [button, host];
}

/** Parses an https URL. Userinfo is rejected, because it can imitate another host. `URL.host` is in ASCII form. */
function target(href: string | null): URL | null {
  if (!href || !URL.canParse(href)) return null;
  const url = new URL(href);
  return url.protocol === "https:" && url.username === "" && url.password === "" ? url : null;
}
