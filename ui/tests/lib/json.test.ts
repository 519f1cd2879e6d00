import { expect, test } from "vitest";
import { prettyJson } from "../../src/lib/json";

test.each([
  "1",
  '"a"',
  "null",
  "[]",
  "{}",
  '{"a":[1,2,{"b":{}}],"c":"{[,:]}\\" \\\\","d":[[],[[]]],"e":true}',
  '"\\u00e4 \\n"',
])("%s is indented like JSON.stringify does it", (text) => {
  expect(prettyJson(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
});

test("numbers, repeated keys and the order of keys stay", () => {
  const text = '{"2":123456789012345678901234567890,"1":1.10,"1":1e400,"__proto__":{"a":-0}}';
  expect(prettyJson(text)).toBe(
    `{\n  "2": 123456789012345678901234567890,\n  "1": 1.10,\n  "1": 1e400,\n  "__proto__": {\n    "a": -0\n  }\n}`,
  );
});

test("a deeply nested value is not indented without end", () => {
  const text = "[".repeat(5000) + "]".repeat(5000);
  expect(prettyJson(text).length).toBeLessThan(20_000);
  expect(prettyJson(text).replaceAll(/\s/g, "")).toBe(text);
});

test("any other text is returned unchanged", () => {
  const long = `[${"1,".repeat(200_000)}1]`;
  for (const text of ["", "{", "a b", "{'a': 1}", "[1,]", long]) expect(prettyJson(text)).toBe(text);
});
