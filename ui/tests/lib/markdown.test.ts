import { describe, expect, it, vi } from "vitest";

import { toHtml, type Source } from "../../src/lib/markdown/parser";
import { sanitized } from "../../src/lib/markdown/sanitizer";
import { payloads } from "./payloads";

/** The only elements that a server's text may produce. */
const HARMLESS = new Set(
  "p br hr strong em del code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 table thead tbody tr th td button small".split(
    " ",
  ),
);

function shown(
  markdown: string,
  open?: (url: string) => void,
  source: Source = "description",
): HTMLDivElement {
  const container = document.createElement("div");
  document.body.replaceChildren(container);
  const html = toHtml({ text: markdown, source });
  container.append((html === null ? null : sanitized(html, open)) ?? markdown);
  return container;
}

describe("a server's markdown", () => {
  it("is tested with at least sixty attacks", () => {
    expect(payloads.length).toBeGreaterThanOrEqual(60);
    expect(new Set(payloads).size).toBe(payloads.length);
  });

  const attacks = (["description", "result"] as const).flatMap((source) =>
    payloads.map((payload) => ({ source, payload })),
  );

  it.each(attacks)("is harmless in a $source: $payload", async ({ source, payload }) => {
    const canary = vi.fn();
    Object.assign(globalThis, { canary });
    const opened = vi.fn();
    const container = shown(payload, opened, source);
    const elements = [...container.querySelectorAll("*")];
    expect(elements.map((element) => element.localName).filter((name) => !HARMLESS.has(name))).toEqual([]);
    const attributes = elements.flatMap((element) =>
      element.getAttributeNames().map((name) => `${element.localName} ${name}`),
    );
    expect(attributes.filter((attribute) => attribute !== "button type")).toEqual([]);
    for (const button of container.querySelectorAll("button")) button.click();
    for (const [url] of opened.mock.calls) expect(url).toMatch(/^https:\/\/[^@]+$/);
    await new Promise((resolve) => setTimeout(resolve));
    expect(canary).not.toHaveBeenCalled();
  });

  it("renders the markup that descriptions use", () => {
    expect(shown("**Bold** and `code`\n\n- one\n- two").innerHTML).toBe(
      "<p><strong>Bold</strong> and <code>code</code></p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n",
    );
  });

  it("turns a link into a button that names its host and opens it through the backend", () => {
    const opened = vi.fn();
    const container = shown("See [the guide](https://example.com/a?b=1).", opened);
    expect(container.textContent).toBe("See the guide (example.com).\n");
    container.querySelector("button")?.click();
    expect(opened.mock.calls).toEqual([["https://example.com/a?b=1"]]);
  });

  it("shows the real host of a link whose text names another host", () => {
    const container = shown("[https://notion.com](https://evil.example/notion.com)", () => undefined);
    expect(container.textContent).toContain("(evil.example)");
    expect(shown("[x](https://notiоn.com/)", () => undefined).textContent).toContain("(xn--");
  });

  it("shows links as text if they cannot be opened", () => {
    expect(shown("See [the guide](https://example.com).").querySelector("button")).toBeNull();
  });

  it("cannot become more elements than a browser shows quickly", () => {
    // A browser copies each unclosed element into each paragraph that follows.
    const tags = Array.from({ length: 1_000 }, (_, index) => `<b title=${index}>`).join("");
    expect(shown(`${tags}x<p>`.repeat(20)).querySelectorAll("*").length).toBeLessThan(100);
    expect(shown("x<br>y").innerHTML).toBe("<p>x<br>y</p>\n");
    for (const markdown of ["**a** ".repeat(3_000), "> ".repeat(100) + "deep", "- ".repeat(100) + "deep"]) {
      const container = shown(markdown);
      expect(container.childElementCount).toBe(0);
      expect(container.textContent).toBe(markdown);
    }
    expect(shown("> ".repeat(10) + "deep").querySelectorAll("blockquote")).toHaveLength(10);
  });
});

describe("a tool's result", () => {
  it.each([
    ["a heading", "# Shopping list\n\nMilk and bread."],
    ["a section", "Two pages.\n## First\nMilk."],
    ["fenced code", "Run this:\n```sh\nmake\n```"],
    ["a table", "| page | words |\n|---|---|\n| Tea | 120 |"],
    ["bold text in a list", "1. **Tea**: how to brew it\n2. **Bees**: a diary"],
    ["a link", "See [the page](https://example.com/tea)."],
  ])("is markdown with %s", (_, text) => {
    expect(toHtml({ text, source: "result" })).not.toBeNull();
  });

  it.each([
    ["a sentence", "Added “Dawn” to the notebook."],
    ["a list", "Found 2 pages.\n\n1. Shopping list\n2. Holiday plans"],
    ["JSON", '{"text": "**bold**"}'],
    ["HTML", "<b>bold</b> & plain"],
    ["YAML", "# The server\nname: tea\ntags:\n  - green"],
    ["Python", 'def __init__(self):\n    """**kwargs** are ignored."""'],
    ["aligned columns", "NAME     AGE\n**tea**    3 d"],
    ["tabs", "name\tsize\n**tea**\t120"],
    ["path patterns", "src/**/tests/** and docs/**"],
    ["pointers", "int main(int argc, char **argv, char **envp)"],
    ["an index and a call", "handlers[0](event)"],
    ["an underlined title", "Report\n======\n\nAll tests passed."],
    ["a bare address", "https://example.com/tea"],
    ["`code` in a sentence", "There is no column `name`."],
    ["a very long text", `# Title\n\n${"word ".repeat(10_000)}`],
  ])("is plain text with %s", (_, text) => {
    expect(toHtml({ text, source: "result" })).toBeNull();
  });

  it("keeps its line breaks, and shows HTML and images as text", () => {
    const container = shown(
      "**One**\ntwo <b>three</b> ![four](https://evil.example/4.png)",
      undefined,
      "result",
    );
    expect(container.innerHTML).toBe(
      "<p><strong>One</strong><br>two &lt;b&gt;three&lt;/b&gt; ![four](https://evil.example/4.png)</p>\n",
    );
  });
});
