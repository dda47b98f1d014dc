/** A part of a plane where points are dense. */
export interface Region {
  /** The mean of its points. */
  x: number;
  y: number;
  count: number;
  /** Width of the square that it was found in, in the units of the plane. */
  width: number;
}

/** Squares across the plane, from the coarsest grid to the finest. */
const grids = [4, 8, 16, 32, 64];
const minPoints = 4;
/** The fullest regions of a grid. */
const maxRegions = 150;

/**
 * The dense regions of a plane, the large ones first: in each of several grids, the squares that
 * have no fuller one beside them.
 *
 * @param points  [N, 2]
 * @returns each region with the positions of its points.
 */
export function denseRegions(points: Float32Array): (Region & { members: number[] })[] {
  const [left, bottom, extent] = extentOf(points);
  if (extent === 0) return [];
  return grids.flatMap((across) => {
    const width = extent / across;
    const squareOf = (value: number, from: number) =>
      Math.min(across - 1, Math.floor((value - from) / width));
    const squares = new Map<number, number[]>();
    for (let i = 0; i < points.length / 2; i++) {
      const at = squareOf(points[2 * i], left) + across * squareOf(points[2 * i + 1], bottom);
      const members = squares.get(at);
      if (members === undefined) squares.set(at, [i]);
      else members.push(i);
    }
    const countAt = (x: number, y: number) =>
      x < 0 || y < 0 || x >= across || y >= across ? 0 : (squares.get(x + across * y)?.length ?? 0);
    return [...squares]
      .filter(([at, { length }]) => length >= minPoints && isPeak(at % across, at, length))
      .sort(([, a], [, b]) => b.length - a.length)
      .slice(0, maxRegions)
      .map(([, members]) => ({
        ...meanOf(points, members),
        count: members.length,
        width,
        members,
      }));

    /** Of equal neighbours, only the first counts. */
    function isPeak(x: number, at: number, count: number): boolean {
      const y = Math.floor(at / across);
      for (const [dx, dy] of before) if (countAt(x + dx, y + dy) >= count) return false;
      return before.every(([dx, dy]) => countAt(x - dx, y - dy) <= count);
    }
  });
}

/** Half of the squares around one; the others lie opposite. */
const before = [
  [-1, -1],
  [0, -1],
  [1, -1],
  [-1, 0],
];

function extentOf(points: Float32Array): [left: number, bottom: number, extent: number] {
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < points.length; i++) {
    low[i % 2] = Math.min(low[i % 2], points[i]);
    high[i % 2] = Math.max(high[i % 2], points[i]);
  }
  if (points.length === 0) return [0, 0, 0];
  return [low[0], low[1], Math.max(high[0] - low[0], high[1] - low[1])];
}

function meanOf(points: Float32Array, members: readonly number[]): { x: number; y: number } {
  let [x, y] = [0, 0];
  for (const i of members) {
    x += points[2 * i] / members.length;
    y += points[2 * i + 1] / members.length;
  }
  return { x, y };
}
