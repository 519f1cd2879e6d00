import { describe, expect, it } from "vitest";

import { shortened, summary } from "../../src/lib/plain-text";

describe("a summary", () => {
  it.each([
    ["Finds **pages** by _their_ `words`.", "Finds pages by their words."],
    ["# Title\n\n- one\n- two\n> quoted", "Title one two quoted"],
    ["See [the guide](https://example.com/a) ![logo](x.png).", "See the guide logo."],
    ["```sh\nmake\n```\nRuns <b>make</b>.", "make Runs make ."],
    ["Keeps snake_case, 2 * 3 and __init__", "Keeps snake_case, 2 3 and init"],
    ["", ""],
  ])("of %j is one line of plain text", (markdown, text) => {
    expect(summary(markdown)).toBe(text);
  });

  it.each(["*a_", "[", "![a](", "<a ", "> ", "`", "_*", "- ", "é\u0301", "x", "😀", "\n"])(
    "of a megabyte of %j is short",
    (unit) => {
      const text = summary(unit.repeat(1_000_000 / unit.length));
      expect(text.length).toBeLessThanOrEqual(402);
      expect(text).not.toMatch(/\n|[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
    },
  );
});

it("marks where a text is cut, and cuts no character in half", () => {
  expect([shortened("abc", 3), shortened("abcd", 3), shortened("ab😀", 3)]).toEqual(["abc", "abc…", "ab…"]);
});
