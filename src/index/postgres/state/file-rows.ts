import { createHash } from "node:crypto";
import { AppError } from "../../../errors.js";
import type { Connection } from "../connections.js";

/** Bytes of a file that one row holds. */
const partBytes = 8 * 2 ** 20;

/** A file's place: paths are relative to their folder. */
export interface FilePlace {
  folder: string;
  path: string;
}

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Waits for other changes to the folder, and keeps others out until the transaction ends. */
export async function lockFolder(db: Connection, folder: string): Promise<void> {
  await db.query(
    `insert into crossmodal.folders values ($1, 1)
      on conflict (name) do update set epoch = folders.epoch + 1`,
    [folder],
  );
}

/** The epoch of each folder that was ever changed. */
export async function folderEpochs(db: Connection): Promise<Map<string, number>> {
  const { rows } = await db.query("select name, epoch from crossmodal.folders");
  return new Map(rows.map(({ name, epoch }) => [name, epoch]));
}

/** The sha256 of each file of a folder, by path. */
export async function filesIn(db: Connection, folder: string): Promise<Map<string, string>> {
  const { rows } = await db.query("select path, sha256 from crossmodal.files where folder = $1", [
    folder,
  ]);
  return new Map(rows.map(({ path, sha256 }) => [path, sha256]));
}

/** @throws AppError `storage_corrupt` when the bytes are not those that were written. */
export async function readFileRows(db: Connection, { folder, path }: FilePlace): Promise<Buffer> {
  const { rows } = await db.query(
    `select sha256, bytes from crossmodal.files left join crossmodal.file_parts
      using (folder, path) where folder = $1 and path = $2 order by part`,
    [folder, path],
  );
  const bytes = Buffer.concat(rows.map((row) => row.bytes ?? Buffer.alloc(0)));
  if (rows.length > 0 && sha256Of(bytes) === rows[0].sha256) return bytes;
  throw new AppError("storage_corrupt", `The file "${folder}/${path}" in the database is damaged`);
}

/** Writes a file, replacing an earlier one. */
export async function writeFileRows(
  db: Connection,
  { folder, path }: FilePlace,
  bytes: Uint8Array,
): Promise<void> {
  await removeFileRows(db, { folder, path });
  await db.query("insert into crossmodal.files values ($1, $2, $3)", [
    folder,
    path,
    sha256Of(bytes),
  ]);
  for (let part = 0; part * partBytes < bytes.length; part++) {
    const some = Buffer.from(bytes.subarray(part * partBytes, (part + 1) * partBytes));
    await db.query("insert into crossmodal.file_parts values ($1, $2, $3, $4)", [
      folder,
      path,
      part,
      some,
    ]);
  }
}

/** Removes a file, or a folder with everything in it. */
export async function removeFileRows(db: Connection, { folder, path }: FilePlace): Promise<void> {
  await db.query(
    `delete from crossmodal.files
      where folder = $1 and (path = $2 or starts_with(path, $2 || '/'))`,
    [folder, path],
  );
}
