import { seededRandom } from "./random.js";
import { type Rows, rowAt, rowCount } from "./rows.js";
import { dot, norm } from "./vector.js";

/**
 * Unit rows this close count as equal: a text's position in a batch changes it by a hundredth of
 * this.
 */
const tolerance = 1e-4;

/**
 * Groups of equal rows, [N]: equal rows have equal numbers. For rows x, y, x it is [a, b, a].
 *
 * Rows are sorted by their projection onto one direction, which moves two of them no further apart,
 * so only neighbours are compared.
 */
export function equalRows(rows: Rows): Int32Array {
  const random = seededRandom(1);
  const direction = Float64Array.from({ length: rows.dimensions }, () => random.normal());
  const length = norm(direction);
  const places = Float64Array.from({ length: rowCount(rows) }, (_, i) => {
    return dot(direction, rowAt(rows, i)) / length;
  });
  const order = [...places.keys()].sort((i, j) => places[i] - places[j]);
  const groups = Int32Array.from(places.keys());
  /** One representative of each nearby group. */
  let near: number[] = [];
  for (const i of order) {
    near = near.filter((first) => places[i] - places[first] <= tolerance);
    const row = rowAt(rows, i);
    const twin = near.find((first) => distance(rowAt(rows, first), row) <= tolerance);
    if (twin === undefined) near.push(i);
    else groups[i] = twin;
  }
  return groups;
}

const distance = (a: Float32Array, b: Float32Array) => norm(a.map((x, d) => x - b[d]));

/** How many different rows there are. */
export const groupCount = (groups: Int32Array): number => new Set(groups).size;
