import type { JsonValue } from "../index/item.js";
import { lookUp } from "../index/match-filter.js";
import type { VectorStore } from "../index/vector-store.js";
import { turnClock } from "../json/next-turn.js";
import type { CollectionMap } from "./collection-maps.js";

/** Numbers with fewer different values are categories: years, stars, labels as numbers. */
const minDistinctNumbers = 11;
/** Longer texts are contents, not values that things are grouped by. */
const maxValueLength = 200;
const itemsAtOnce = 2000;

/** The value of a field for each point, null where its item has none. */
export type MapValues = { field: string } & (
  | { kind: "numbers"; points: (number | null)[] }
  | {
      kind: "categories";
      /** The most frequent, with how many points have each. */
      values: { value: string | number | boolean; count: number }[];
      /** Different values in all. */
      distinct: number;
      /** Positions in `values`; its length stands for every other value. */
      points: (number | null)[];
    }
);

type Value = string | number | boolean;

interface Request {
  /** Dot path, as in a filter. */
  field: string;
  /** How many categories are told apart. */
  maxValues: number;
  signal: AbortSignal;
}

/** The value of a metadata field for each point of a map: numbers, or the most frequent values. */
export async function mapValues(
  store: Pick<VectorStore, "metadata">,
  { collection, ids }: Pick<CollectionMap, "collection" | "ids">,
  { field, maxValues, signal }: Request,
): Promise<MapValues> {
  const found: Value[][] = ids.map(() => []);
  const pointOf = new Map(ids.map((id, point) => [id, point]));
  const clock = turnClock();
  let before: number | undefined;
  do {
    signal.throwIfAborted();
    const page = await store.metadata(collection, { limit: itemsAtOnce, before });
    for (const [i, id] of page.ids.entries()) {
      const point = pointOf.get(id);
      if (point !== undefined) found[point] = scalarsOf(lookUp(page.metadata[i], field));
      if (clock.isUp()) await clock.next();
    }
    before = page.next;
  } while (before !== undefined);
  return numbersOf(field, found) ?? categoriesOf(field, found, maxValues);
}

/** Of a list its elements, each once. */
function scalarsOf(value: JsonValue | undefined): Value[] {
  const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return [...new Set(values.filter(isValue))];
}

function isValue(value: JsonValue): value is Value {
  if (typeof value === "string") return value.length <= maxValueLength;
  return typeof value === "number" || typeof value === "boolean";
}

function numbersOf(field: string, found: readonly Value[][]): MapValues | undefined {
  const points = found.map(([value = null]) => value);
  const distinct = new Set(found.flat());
  const isNumeric = found.every(
    (values) => values.length === 0 || (values.length === 1 && typeof values[0] === "number"),
  );
  if (!isNumeric || distinct.size < minDistinctNumbers) return undefined;
  return { field, kind: "numbers", points: points as (number | null)[] };
}

function categoriesOf(field: string, found: readonly Value[][], maxValues: number): MapValues {
  const counts = new Map<Value, number>();
  for (const value of found.flat()) counts.set(value, (counts.get(value) ?? 0) + 1);
  const frequent = [...counts]
    .sort(([a, n], [b, m]) => m - n || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    .slice(0, maxValues);
  const positions = new Map(frequent.map(([value], position) => [value, position]));
  // Of a list the first that is frequent, so that each point has one place.
  const points = found.map((values) => {
    if (values.length === 0) return null;
    const listed = values.find((value) => positions.has(value));
    return listed === undefined ? frequent.length : positions.get(listed)!;
  });
  const pointCounts = new Array<number>(frequent.length).fill(0);
  for (const position of points)
    if (position !== null && position < frequent.length) pointCounts[position]++;
  const values = frequent.map(([value], position) => ({ value, count: pointCounts[position] }));
  return { field, kind: "categories", values, distinct: counts.size, points };
}
