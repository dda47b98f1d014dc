import fc from "fast-check";

export type Schema = Record<string, unknown> & { properties?: Record<string, Schema> };

export interface SchemaValuesOptions {
  /** Likely texts, beside any other. */
  texts: readonly string[];
  /** Entries of an array at most. */
  maxLength: number;
  /** Follows a `$ref`. */
  resolve?: (schema: Schema) => Schema;
}

/** Values of a JSON schema, and now and then anything else. */
export function schemaValues(
  given: Schema,
  options: SchemaValuesOptions,
  depth = 0,
): fc.Arbitrary<unknown> {
  const { texts, maxLength, resolve = (schema) => schema } = options;
  const schema = resolve(given);
  const valuesOf = (inner: Schema) => schemaValues(inner, options, depth + 1);
  const alternatives = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  const valid = (): fc.Arbitrary<unknown> => {
    if (depth > 6) return fc.jsonValue({ maxDepth: 1 });
    if (alternatives) return fc.oneof(...alternatives.map(valuesOf));
    if (schema.enum) return fc.constantFrom(...(schema.enum as unknown[]));
    if (schema.const !== undefined) return fc.constant(schema.const);
    switch (schema.type) {
      case "boolean":
        return fc.boolean();
      case "integer":
        return fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer());
      case "number":
        return fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(30), fc.double());
      case "string":
        return fc.oneof(fc.constantFrom(...texts), fc.string());
      case "array":
        return fc.array(valuesOf((schema.items ?? {}) as Schema), { maxLength });
      case "object":
        return objects(schema, valuesOf);
      default:
        return fc.anything({ maxDepth: 2 });
    }
  };
  return fc.oneof(
    { weight: 15, arbitrary: valid() },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  );
}

function objects(schema: Schema, valuesOf: (inner: Schema) => fc.Arbitrary<unknown>) {
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, field]) => [name, valuesOf(field)] as const,
  );
  if (fields.length === 0) return fc.object({ maxDepth: 2 });
  const requiredKeys = (schema.required ?? []) as string[];
  return fc.oneof(
    fc.record(Object.fromEntries(fields), { requiredKeys }),
    fc.record(Object.fromEntries(fields), { requiredKeys: [] }),
  );
}
