import DOMPurify from "dompurify";
import { Marked, walkTokens, type Token } from "marked";

import { isJson } from "./json";

/** Longer descriptions are cut, and longer results are plain text, to keep the parser's work small. */
const LONGEST = 20_000;

const TAGS = [
  ...["p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a"],
  ...["h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"],
];

/** The origin of a text. A result shows everything that was sent: its line breaks, and HTML as text. */
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
 * A server's markdown as nodes to put into the page: no images, styles, ids, handlers or anchors. A link becomes a
 * button that names its host and calls `open` when it is pressed; without `open` it is text.
 */
export function render(markdown: string, source: Source, open?: (url: string) => void): DocumentFragment {
  const text = markdown.slice(0, LONGEST);
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
 * Whether a tool's text result is markdown. It must have markup that plain text hardly contains by chance: a heading, a
 * fenced code block, a table, bold text or a titled link. Lists and `code` alone do not count, because they read well as
 * text. A text that depends on its spaces, such as aligned columns or indented lines, is never markdown.
 */
export function isMarkdown(text: string): boolean {
  if (text.length > LONGEST || !/[#`~|*\]]/.test(text) || isJson(text)) return false;
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

/** A "# comment" directly above another line is more likely a script or a configuration file. */
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
      // Neither "__init__" nor "src/**/test/**".
      return /^\*\*[^/._-]/.test(token.raw);
    case "link":
      return token.raw.startsWith("[") && /^https?:/i.test(String(token.href));
    default:
      return false;
  }
}

/** Rendered paragraphs lose their indentation and runs of spaces. */
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

/** Returns an https URL. User info is rejected, because it can imitate another host. `host` is in its ASCII form. */
function target(href: string | null): URL | null {
  if (!href || !URL.canParse(href)) return null;
  const url = new URL(href);
  return url.protocol === "https:" && url.username === "" && url.password === "" ? url : null;
}
