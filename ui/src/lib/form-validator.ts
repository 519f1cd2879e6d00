import { Validator, type OutputUnit, type Schema, type ValidationResult } from "@cfworker/json-schema";

import { m } from "../paraglide/messages";

/** Keywords whose errors only say that a nested value is invalid; the nested error says more. */
const OUTER = new Set(["properties", "patternProperties", "items", "prefixItems", "additionalItems", "$ref"]);

/** The library's validator, with the window's error texts, each at the field that caused it. */
export class FormValidator extends Validator {
  constructor(schema: Schema) {
    super(schema, "7", false);
  }

  override validate(instance: unknown): ValidationResult {
    const { valid, errors } = super.validate(instance);
    const inner = errors.filter(({ keyword }) => !OUTER.has(keyword));
    return { valid, errors: (inner.length > 0 ? inner : errors).map(reworded) };
  }
}

function reworded(unit: OutputUnit): OutputUnit {
  switch (unit.keyword) {
    case "required": {
      const missing = /"([\w-]+)"\.$/.exec(unit.error)?.[1];
      const error = m.form_required();
      return missing === undefined
        ? unit
        : { ...unit, error, instanceLocation: `${unit.instanceLocation}/${missing}` };
    }
    case "type":
      return unit.error.includes('type "null"') ? { ...unit, error: m.form_required() } : unit;
    case "minLength":
      return { ...unit, error: m.form_too_short() };
    case "maxLength":
      return { ...unit, error: m.form_too_long() };
    case "pattern":
    case "format":
      return { ...unit, error: m.form_pattern() };
    default:
      return unit;
  }
}
