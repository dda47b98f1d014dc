import { type Rows, rowCount, take } from "../math/rows.js";
import type { TrainingRequest } from "./training-request.js";

/** The request without the pairs at `positions`, which a split then names by their new places. */
export function leaveOut(request: TrainingRequest, positions: readonly number[]): TrainingRequest {
  if (positions.length === 0) return request;
  const out = new Set(positions);
  const kept = Array.from({ length: rowCount(request.a) }, (_, i) => i).filter((i) => !out.has(i));
  const placeOf = new Map(kept.map((old, place) => [old, place]));
  const rows = <T extends Rows>(side: T): T => ({ ...side, ...take(side, kept) });
  const places = (old: readonly number[]) => old.flatMap((i) => placeOf.get(i) ?? []);
  const { a, b, labels, third, features, split } = request;
  return {
    ...request,
    a: rows(a),
    b: rows(b),
    ...(labels && { labels: Int32Array.from(kept, (i) => labels[i]) }),
    ...(third && { third: rows(third) }),
    ...(features && { features: rows(features) }),
    ...(split && {
      split: {
        train: places(split.train),
        validation: places(split.validation),
        test: places(split.test),
      },
    }),
  };
}
