import DOMPurify from "dompurify";

const TAGS = [
  ...["p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a"],
  ...["h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"],
];

/** The largest HTML to sanitise and show. The largest honest description, of 20,000 characters, has a tenth of it. */
const MAX_LENGTH = 200_000;
const MAX_TAGS = 5_000;
const MAX_DEPTH = 50;

/**
 * Sanitises the HTML of a server's markdown: without images, styles, ids, handlers or anchors. A link becomes a button
 * that shows its host and calls `open` when it is pressed. Without `open`, a link becomes text. Returns `null` if the
 * HTML is too large or too deep.
 */
export function sanitized(html: string, open?: (url: string) => void): DocumentFragment | null {
  if (html.length > MAX_LENGTH || !isFlat(html)) return null;
  const fragment = DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ["href"],
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
    ALLOWED_URI_REGEXP: /^https:\/\//i,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const anchor of fragment.querySelectorAll("a")) anchor.replaceWith(...link(anchor, open));
  return fragment;
}

/** Whether the HTML has few tags, and elements with few ancestors. */
function isFlat(html: string): boolean {
  let [tags, depth] = [0, 0];
  for (const [, slash, name] of html.matchAll(/<(\/?)([a-z]\w*)/gi)) {
    if (!["br", "hr", "img", "input"].includes(name ?? "")) depth += slash ? -1 : 1;
    tags += 1;
    if (tags > MAX_TAGS || depth > MAX_DEPTH) return false;
  }
  return true;
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
