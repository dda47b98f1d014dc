import { finished } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import type { Connection } from "./connections.js";

/** A value in the binary form of its column's type; undefined for NULL. */
export type Field = Uint8Array | undefined;

/** Signature, flags (int32) and the length of an extension (int32): neither is used. */
const header = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)]);
/** -1 in place of a row's number of fields. */
const trailer = Buffer.of(0xff, 0xff);

/**
 * Inserts rows by COPY in its binary form (PostgreSQL's documentation, "COPY", Binary Format):
 * two thirds of the processor time of a statement with arrays, on both sides.
 * @param into  a table with its columns: `items (id, text)`.
 */
export async function copyRows(db: Connection, into: string, rows: Field[][]): Promise<void> {
  const stream = db.query(copyFrom(`copy ${into} from stdin (format binary)`));
  stream.write(header);
  stream.write(bytesOf(rows));
  stream.end(trailer);
  await finished(stream);
}

function bytesOf(rows: Field[][]): Buffer {
  let size = 0;
  for (const row of rows) for (const field of row) size += 4 + (field?.length ?? 0);
  const bytes = Buffer.allocUnsafe(size + 2 * rows.length);
  let at = 0;
  for (const row of rows) {
    at = bytes.writeInt16BE(row.length, at);
    for (const field of row) {
      at = bytes.writeInt32BE(field?.length ?? -1, at);
      if (field === undefined) continue;
      bytes.set(field, at);
      at += field.length;
    }
  }
  return bytes;
}

export function int2(value: number): Field {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int8(value: number): Field {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

export const text = (value: string | undefined): Field =>
  value === undefined ? undefined : Buffer.from(value);

export const bool = (value: boolean): Field => Buffer.of(value ? 1 : 0);

/** @param json  its text, after the version of the form. */
export const jsonb = (json: string): Field => Buffer.from(`\u0001${json}`);
