import type { Database } from "./sqlite.js";

/** Levels of nested objects and arrays that are kept; SQLite reads 1,000. */
const maxLevels = 100;

/**
 * Rewrites metadata that SQLite cannot read as JSON: values nested too deep become strings of their
 * JSON. Inside a transaction.
 */
export function mendDeepMetadata(db: Database): void {
  const update = db.prepare("UPDATE items SET metadata = ? WHERE row = ?");
  const unreadable = db.prepare("SELECT row, metadata FROM items WHERE NOT json_valid(metadata)");
  for (const { row, metadata } of unreadable.all() as { row: number; metadata: string }[])
    update.run(JSON.stringify(shallower(JSON.parse(metadata), maxLevels)), row);
}

function shallower(value: unknown, levels: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (levels === 0) return JSON.stringify(value);
  if (Array.isArray(value)) return value.map((element) => shallower(element, levels - 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, shallower(inner, levels - 1)]),
  );
}
