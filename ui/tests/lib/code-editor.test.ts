import { Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";

import { endOfToken, offsetsOf } from "../../src/lib/code-editor/editor";

const doc = Text.of(['{ "a": 1,', '  "𝒳": oops }', ""]);

describe("the place of a problem", () => {
  it.each([
    [1, 1, 0],
    [1, 3, 2],
    // The character before the column has two code units.
    [2, 6, 16],
    [2, 99, 24],
    [3, 1, 25],
    [99, 1, 25],
    [0, 0, 0],
  ])("in line %i, column %i is the offset %i", (line, column, offset) => {
    expect(offsetsOf(doc, [{ line, column }])).toEqual([offset]);
  });

  it("is found for several problems in any order", () => {
    const places = [
      { line: 99, column: 1 },
      { line: 2, column: 8 },
      { line: 1, column: 3 },
      { line: 2, column: 6 },
      { line: 2, column: 6 },
    ];
    expect(offsetsOf(doc, places)).toEqual([25, 18, 2, 16, 16]);
  });

  it("is found quickly in a long line with many problems", () => {
    const entry = '"name":{"url":"https://mcp.example.com/mcp"},';
    const count = 3000;
    const line = Text.of([entry.repeat(count)]);
    const places = Array.from({ length: count }, (_, index) => ({
      line: 1,
      column: index * entry.length + 1,
    }));
    const started = performance.now();
    const offsets = offsetsOf(line, places);
    const ends = offsets.map((from) => endOfToken(line, from));
    // Reading the whole line for each problem takes more than ten seconds.
    expect(performance.now() - started).toBeLessThan(3000);
    expect(offsets).toEqual(places.map(({ column }) => column - 1));
    expect(ends).toEqual(offsets.map((from) => from + '"name"'.length));
  });

  it("ends with its name, string or character", () => {
    const ends = [2, 7, 18, 0, 25].map((from) => doc.sliceString(from, endOfToken(doc, from)));
    expect(ends).toEqual(['"a"', "1", "oops", "{", ""]);
  });
});
