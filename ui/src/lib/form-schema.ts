import type { FormState, ResolveFieldType, UiSchemaRoot } from "@sjsf/form";
import { isSelect, isMultiSelect } from "@sjsf/form";
import { resolver as basic } from "@sjsf/form/resolvers/basic";

type JsonObject = Record<string, unknown>;

/** The schema without its heading: the dialog around the form has one already. */
export function forForm(schema: JsonObject): JsonObject {
  const { title: _title, description: _description, $schema: _dialect, ...rest } = schema;
  return { type: "object", ...rest };
}

/** Choices as lists and boxes, everything else as the library's basic resolver has it. */
export function resolver<T>(ctx: FormState<T>): ResolveFieldType {
  const otherwise = basic(ctx);
  return (config) => {
    if (isSelect(ctx, config.schema)) return "enumField";
    if (config.schema.type === "array" && isMultiSelect(ctx, config.schema)) return "multiEnumField";
    return otherwise(config);
  };
}

const LONG = /^(content|body|text|markdown|description|message|query_text|prompt|code|html)$/i;

/** A larger field for what is likely to be long. */
export function uiSchemaOf(schema: JsonObject): UiSchemaRoot {
  const properties = (schema.properties ?? {}) as Record<string, JsonObject | boolean>;
  const ui: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(properties)) {
    if (typeof property !== "object" || property.type !== "string" || property.enum || property.oneOf)
      continue;
    const isLong = LONG.test(name) || Number(property.maxLength ?? 0) > 200;
    if (isLong) ui[name] = { "ui:components": { stringField: "stringField", textWidget: "textareaWidget" } };
  }
  return ui as UiSchemaRoot;
}
