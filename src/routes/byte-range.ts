import { AppError } from "../errors.js";

/** Bytes `start` to `end` of a file, both included. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The part of a file that a request asks for; undefined for all of it. As RFC 9110 allows, all of
 * it is also the answer to several ranges at once and to a header that is malformed.
 * Source: RFC 9110, sections 13.1.5 and 14.2.
 *
 * @param ifRange  the range counts only while the file is the one of this `ETag`.
 * @throws AppError `range_not_satisfiable` when the range begins behind the end.
 */
export function rangeOf(
  { range, ifRange }: { range: string | undefined; ifRange: string | undefined },
  { size, etag }: { size: number; etag: string },
): ByteRange | undefined {
  if (range === undefined || (ifRange !== undefined && ifRange.trim() !== etag)) return undefined;
  const [, first, last] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range) ?? [];
  if (first === undefined || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < start) return undefined;
  if (start >= size) {
    const message = `Expected a range within the ${size} bytes of the file but received "${range}"`;
    throw new AppError("range_not_satisfiable", message, { param: "range" });
  }
  return { start, end };
}

/** Whether a client that holds the file of these `ETag`s (`If-None-Match`) holds this one. */
export const isHeld = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch?.split(",").some((one) => ["*", etag].includes(one.trim().replace(/^W\//, ""))) ??
  false;
