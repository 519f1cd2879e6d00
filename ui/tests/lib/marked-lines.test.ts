import { expect, it } from "vitest";
import { marked } from "../../src/lib/marked-lines";

const shown = (lines: string[], earlier: string[] | null) =>
  marked(lines, earlier).map(({ text, mark }) => ({ same: " ", new: "+", removed: "-" })[mark] + text);

it.each([
  ["nothing without an earlier list", ["a"], null, [" a"]],
  ["nothing in equal lists", ["a", "b"], ["a", "b"], [" a", " b"]],
  ["a changed line", ["a", "x", "c"], ["a", "b", "c"], [" a", "-b", "+x", " c"]],
  ["an inserted line", ["a", "x", "b"], ["a", "b"], [" a", "+x", " b"]],
  ["a removed line", ["a", "c"], ["a", "b", "c"], [" a", "-b", " c"]],
  ["a repeated line", ["a", "a", "a"], ["a", "a"], [" a", " a", "+a"]],
  ["everything", ["x"], ["a", "b"], ["-a", "-b", "+x"]],
  ["a list that has become empty", [], ["a"], ["-a"]],
])("marks %s", (_name, lines, earlier, expected) => {
  expect(shown(lines, earlier)).toEqual(expected);
});
