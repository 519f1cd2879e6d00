import DOMPurify from "dompurify";
import { Marked } from "marked";

/** Longer texts are cut, to keep the parser's work small. */
const LONGEST = 20_000;

const TAGS = [
  ...["p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a"],
  ...["h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"],
];

const marked = new Marked({ gfm: true, breaks: false, async: false });

/**
 * A server's markdown as nodes to put into the page: no images, styles, ids, handlers or anchors. A link becomes a
 * button that names its host and calls `open` when it is pressed; without `open` it is text.
 */
export function render(markdown: string, open?: (url: string) => void): DocumentFragment {
  const text = markdown.slice(0, LONGEST);
  let fragment: DocumentFragment;
  try {
    fragment = DOMPurify.sanitize(marked.parse(text) as string, {
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

/** An https URL without user info, which could pass for another host. `host` is in its ASCII form. */
function target(href: string | null): URL | null {
  if (!href || !URL.canParse(href)) return null;
  const url = new URL(href);
  return url.protocol === "https:" && url.username === "" && url.password === "" ? url : null;
}
