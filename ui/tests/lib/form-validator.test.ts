import { describe, expect, it } from "vitest";

import { FormValidator } from "../../src/lib/form-validator";

function findings(schema: object, value: unknown): string[] {
  return new FormValidator(schema)
    .validate(value)
    .errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`);
}

describe("what a form finds wrong", () => {
  it.each([
    [{ required: ["query"] }, {}, ["#/query Please fill this in."]],
    [{ properties: { limit: { type: "integer" } } }, { limit: null }, ["#/limit Please fill this in."]],
    [{ properties: { name: { minLength: 2 } } }, { name: "a" }, ["#/name This is too short."]],
    [{ properties: { name: { maxLength: 2 } } }, { name: "abc" }, ["#/name This is too long."]],
    [
      { properties: { day: { pattern: "^\\d+$" } } },
      { day: "one" },
      ["#/day This is not in the form that the service asks for."],
    ],
    [{ properties: { limit: { minimum: 1 } } }, { limit: 0 }, ["#/limit 0 is less than 1."]],
    [
      { properties: { tags: { items: { type: "string", minLength: 1 } } } },
      { tags: ["a", ""] },
      ["#/tags/1 This is too short."],
    ],
    // A name that would not survive the way to its field stays with the whole.
    [{ required: ["a/b"] }, {}, ['# Instance does not have required property "a/b".']],
    [{ type: "object" }, {}, []],
  ])("%j, %j: %j", (schema, value, expected) => {
    expect(findings({ type: "object", ...schema }, value)).toEqual(expected);
  });
});
