import fc from "fast-check";
import type { Filter, FilterOp } from "../../src/index/filter.js";
import type { JsonObject, JsonValue } from "../../src/index/item.js";

// Filters and metadata for property tests of what drivers make of filters.

// Few keys and few values, so that conditions meet their fields; and numbers and texts at the edges
// of their types.
const keys = ["a", "b", "c d", "é", "$", "0", "__proto__"];
export const text = fc.oneof(
  fc.constantFrom(
    "",
    "a",
    "b",
    "ab",
    "1",
    "true",
    "null",
    "[1]",
    "'",
    '"',
    "%",
    "é",
    "éa",
    "🙂",
    "\uffee",
  ),
  fc.string({ maxLength: 4 }).filter((s) => !s.includes("\0")),
);
export const number = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    2,
    -1,
    0.1,
    1.5,
    2 ** 53,
    2 ** 60,
    2 ** 63,
    -(2 ** 63),
    1e21,
    1e300,
    5e-324,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);
const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "0"), tie("value"), { maxKeys: 2 }),
  ),
}));
export const metadata = fc
  .array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 5 })
  // Through JSON, as everything that is stored: -0 becomes 0.
  .map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))) as JsonObject);
const field = fc
  .array(fc.constantFrom(...keys), { minLength: 1, maxLength: 3 })
  .map((path) => path.join("."));
const condition: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ field, op: fc.constantFrom<FilterOp>("eq", "contains"), value: scalar }),
  fc.record({
    field,
    op: fc.constantFrom<FilterOp>("lt", "lte", "gt", "gte"),
    value: fc.oneof(text, number),
  }),
  fc.record({ field, op: fc.constant<FilterOp>("in"), value: fc.array(scalar, { maxLength: 4 }) }),
  fc.record({ field, op: fc.constant<FilterOp>("exists"), value: fc.boolean() }),
  fc.record({ field, op: fc.constant<FilterOp>("prefix"), value: text }),
);
export const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    condition,
    fc.record({ and: fc.array(tie("filter"), { maxLength: 3 }) }),
    fc.record({ or: fc.array(tie("filter"), { maxLength: 3 }) }),
    fc.record({ not: tie("filter") }),
  ),
}));
