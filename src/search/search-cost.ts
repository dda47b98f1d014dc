import type { Cost } from "../media/budget.js";

/** Neighbours and conditions that cost about as much as one small input. */
const neighborsPerUnit = 256;
const conditionsPerUnit = 8;
const valuesPerUnit = 1000;
/** For the neutral queries, which are repeated once a minute at most. */
const neutralUnits = 4;
/** Parts of a filter that are counted: a checked filter has fewer. */
const maxParts = 512;

/** The cost of one query besides embedding its content. */
export function costOfQuery({
  topK,
  filter,
  minRelevance,
}: {
  topK: number;
  filter?: unknown;
  minRelevance?: number;
}): Cost {
  const { conditions, values } = sizeOfFilter(filter);
  const neutral = minRelevance === undefined ? 0 : neutralUnits;
  const extra =
    neutral + topK / neighborsPerUnit + conditions / conditionsPerUnit + values / valuesPerUnit;
  return { inputs: 1 + (Number.isFinite(extra) ? Math.max(0, extra) : 0) };
}

/** Counted before the filter is checked, so it may be anything. */
function sizeOfFilter(filter: unknown): { conditions: number; values: number } {
  let conditions = 0;
  let values = 0;
  const parts: unknown[] = filter === undefined ? [] : [filter];
  while (parts.length > 0 && conditions < maxParts) {
    const part = parts.pop();
    if (typeof part !== "object" || part === null) continue;
    conditions++;
    const { and, or, not, value } = part as Record<string, unknown>;
    for (const list of [and, or]) if (Array.isArray(list)) parts.push(...list.slice(0, maxParts));
    if (not !== undefined) parts.push(not);
    if (Array.isArray(value)) values += value.length;
  }
  return { conditions, values };
}
