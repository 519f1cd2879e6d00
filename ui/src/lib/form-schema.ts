import type { FormState, ResolveFieldType, UiSchemaRoot } from "@sjsf/form";
import { isSelect, isMultiSelect } from "@sjsf/form";
import { resolver as basic } from "@sjsf/form/resolvers/basic";

type JsonObject = Record<string, unknown>;

/** The schema without its title and description, which the dialog shows already. */
export function formSchema(schema: JsonObject): JsonObject {
  const { title: _title, description: _description, $schema: _dialect, ...rest } = schema;
  return { type: "object", ...rest };
}

/** Resolves choices to the library's choice fields, and everything else with its basic resolver. */
export function resolver<T>(ctx: FormState<T>): ResolveFieldType {
  const fallback = basic(ctx);
  return (config) => {
    if (isSelect(ctx, config.schema)) return "enumField";
    if (config.schema.type === "array" && isMultiSelect(ctx, config.schema)) return "multiEnumField";
    return fallback(config);
  };
}

const LONG = /^(content|body|text|markdown|description|message|query_text|prompt|code|html)$/i;

/** Returns larger fields for texts that are likely to be long. */
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
