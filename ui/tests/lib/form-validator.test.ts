import { describe, expect, it } from "vitest";

import { FormValidator } from "../../src/lib/form-validator";

function findings(schema: object, value: unknown): string[] {
  return new FormValidator(schema)
    .validate(value)
    .errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`);
}

describe("the errors of a form", () => {
  it.each([
    [{ required: ["query"] }, {}, ["#/query This field is required."]],
    [{ properties: { limit: { type: "integer" } } }, { limit: null }, ["#/limit This field is required."]],
    [{ properties: { name: { minLength: 2 } } }, { name: "a" }, ["#/name This is too short."]],
    [{ properties: { name: { maxLength: 2 } } }, { name: "abc" }, ["#/name This is too long."]],
    [
      { properties: { day: { pattern: "^\\d+$" } } },
      { day: "one" },
      ["#/day This does not have the required format."],
    ],
    [{ properties: { limit: { minimum: 1 } } }, { limit: 0 }, ["#/limit 0 is less than 1."]],
    [
      { properties: { tags: { items: { type: "string", minLength: 1 } } } },
      { tags: ["a", ""] },
      ["#/tags/1 This is too short."],
    ],
    // A name that cannot be mapped to its field stays an error of the whole form.
    [{ required: ["a/b"] }, {}, ['# Instance does not have required property "a/b".']],
    [{ type: "object" }, {}, []],
  ])("%j, %j: %j", (schema, value, expected) => {
    expect(findings({ type: "object", ...schema }, value)).toEqual(expected);
  });
});
