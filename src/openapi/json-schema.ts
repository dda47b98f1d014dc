import { z } from "zod";
import { Bytes, listInfoOf } from "../wire/field-types.js";
import { schemaNames } from "./schema-names.js";

export type JsonSchema = Record<string, unknown>;

/** A schema, and those it refers to by name. */
export interface NamedSchemas {
  schema: JsonSchema;
  components: { schemas: Record<string, JsonSchema> };
}

/**
 * Where a schema is used: a body or answer in JSON, or a form, whose files are files and whose
 * fields are never null.
 */
export type SchemaUse = "request" | "form" | "answer";

/** A zod schema of the wire as JSON Schema 2020-12, which OpenAPI 3.1 uses unchanged. */
export function jsonSchemaOf(schema: z.ZodType, use: SchemaUse): NamedSchemas {
  const names = use === "form" ? z.registry<{ id: string }>() : schemaNames;
  const {
    $schema: _,
    $defs,
    ...root
  } = z.toJSONSchema(schema, {
    io: use === "answer" ? "output" : "input",
    unrepresentable: "any",
    metadata: names,
    override: ({ zodSchema, jsonSchema }) =>
      void Object.assign(jsonSchema, extraFacts(zodSchema as unknown as z.ZodType, use)),
  }) as JsonSchema;
  const tidy = (part: unknown) => tidied(part, use) as JsonSchema;
  const schemas: Record<string, JsonSchema> = {};
  for (const [name, part] of Object.entries(($defs ?? {}) as Record<string, JsonSchema>))
    schemas[name] = tidy(part);
  const inLists = nestedIn({ root, $defs });
  return { schema: tidy(root), components: { schemas: { ...schemas, ...inLists } } };
}

/** Facts that zod does not provide. */
function extraFacts(schema: z.ZodType, use: SchemaUse): JsonSchema {
  if (schema === Bytes)
    return use === "form" ? { type: "string", format: "binary" } : { [never]: true };
  const list = listInfoOf(schema);
  if (list === undefined) {
    const { id: _, ...meta } = z.globalRegistry.get(schema) ?? {};
    return meta;
  }
  const { schema: items, components } = jsonSchemaOf(list.entry, use);
  return {
    type: "array",
    items,
    ...(list.min > 0 && { minItems: list.min }),
    ...(Number.isFinite(list.max) && { maxItems: list.max }),
    ...(Object.keys(components.schemas).length > 0 && { [nested]: components.schemas }),
  };
}

/** Marks an alternative that does not exist in a use. */
const never = "x-never";
/** Named schemas that an inner call found. */
const nested = "x-nested";

function nestedIn(part: unknown): Record<string, JsonSchema> {
  if (typeof part !== "object" || part === null) return {};
  const inner = Object.values(part).map(nestedIn);
  const children = (part as JsonSchema)[nested] as Record<string, JsonSchema> | undefined;
  return Object.assign({}, ...inner, children);
}

/**
 * Without marks; unions of one flattened; references as OpenAPI writes them; answers open to
 * further fields.
 */
function tidied(part: unknown, use: SchemaUse): unknown {
  if (Array.isArray(part)) return part.map((one) => tidied(one, use));
  if (typeof part !== "object" || part === null) return part;
  const { [nested]: _, anyOf, ...rest } = part as JsonSchema;
  const tidy: JsonSchema = {};
  for (const [key, value] of Object.entries(rest)) {
    if (key === "$ref") tidy.$ref = String(value).replace("#/$defs/", "#/components/schemas/");
    else if (use === "answer" && key === "additionalProperties" && value === false) continue;
    else if (isNoise(key, value)) continue;
    else tidy[key] = key === "default" || key === "examples" ? value : tidied(value, use);
  }
  if (use === "form" && Array.isArray(tidy.type))
    tidy.type = tidy.type.filter((type) => type !== "null")[0];
  if (anyOf === undefined) return tidy;
  const options = flatten(anyOf as JsonSchema[], use);
  return options.length === 1 ? { ...options[0], ...tidy } : { anyOf: options, ...tidy };
}

/** Details from zod that no reader needs: that an integer is safe, that a type is readonly. */
const isNoise = (key: string, value: unknown) =>
  Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER ||
  key === "readOnly" ||
  key === "propertyNames";

function flatten(anyOf: readonly JsonSchema[], use: SchemaUse): JsonSchema[] {
  return anyOf
    .filter((option) => !(never in option) && !(use === "form" && option.type === "null"))
    .flatMap((option) => {
      const tidy = tidied(option, use) as JsonSchema;
      const keys = Object.keys(tidy);
      return keys.length === 1 && keys[0] === "anyOf" ? (tidy.anyOf as JsonSchema[]) : [tidy];
    });
}
