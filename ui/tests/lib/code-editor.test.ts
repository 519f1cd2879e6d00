import { Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";

import { endOfToken, offsetOf } from "../../src/lib/code-editor/editor";

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
    expect(offsetOf(doc, line, column)).toBe(offset);
  });

  it("ends with its name, string or character", () => {
    const ends = [2, 7, 18, 0, 25].map((from) => doc.sliceString(from, endOfToken(doc, from)));
    expect(ends).toEqual(['"a"', "1", "oops", "{", ""]);
  });
});
