import { AppError } from "../../errors.js";
import { mendDeepMetadata } from "./mend-metadata.js";
import { type Database, guard, transaction } from "./sqlite.js";

/**
 * Raised when a table changes its meaning; databases of other versions are refused. 2: all metadata
 * is JSON that SQLite reads; its pages have checksums, which older versions would not keep. 3:
 * items have their text and the time they were added; collections have aliases.
 * 4: items refer to kept media.
 */
const schemaVersion = 4;

/**
 * Creates the tables in a new database and checks the version of an old one.
 *
 * A row number identifies one vector forever: AUTOINCREMENT never reuses a number, and an item
 * whose vector changes gets a new one. So a graph built from some rows stays valid for them,
 * whatever happens later (snapshot.ts).
 *
 * @returns whether the database is new.
 */
export function prepareSchema(db: Database): boolean {
  if (versionOf(db) !== 0) {
    const version = checkSchemaVersion(db);
    if (version < schemaVersion) upgrade(db, version);
    return false;
  }
  transaction(db, () => {
    db.exec(`
      CREATE TABLE collections (
        collection INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        space TEXT NOT NULL,
        dimensions INTEGER NOT NULL,
        fields TEXT NOT NULL,      -- JSON array of dot paths
        options TEXT NOT NULL,     -- JSON object
        created_at TEXT NOT NULL,  -- ISO 8601
        snapshot TEXT              -- JSON: the graph file of this state, see snapshot.ts
      );
      CREATE TABLE items (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        collection INTEGER NOT NULL,
        id TEXT NOT NULL,
        modality INTEGER NOT NULL, -- position in [text, image, audio]
        metadata TEXT NOT NULL,    -- JSON object
        source TEXT,
        content_hash TEXT,
        ${addedColumns.join(", ")}
      );
      CREATE UNIQUE INDEX items_by_id ON items (collection, id);
      CREATE INDEX items_by_collection ON items (collection);
      -- Embeddings are float32, little-endian.
      CREATE TABLE vectors (row INTEGER PRIMARY KEY, embedding BLOB NOT NULL);
      CREATE TABLE originals (
        row INTEGER PRIMARY KEY, space TEXT NOT NULL, embedding BLOB NOT NULL
      );
      CREATE TABLE previews (
        row INTEGER PRIMARY KEY, media_type TEXT NOT NULL, bytes BLOB NOT NULL
      );
      CREATE TABLE means (
        collection INTEGER NOT NULL,
        modality INTEGER NOT NULL,
        count INTEGER NOT NULL,
        sum BLOB NOT NULL,         -- float64, little-endian: the sum of the embeddings
        PRIMARY KEY (collection, modality)
      ) WITHOUT ROWID;
      ${aliasTable}
      ${mediaTable}
      PRAGMA user_version = ${schemaVersion};
    `);
  });
  return true;
}

/** What version 3 added. */
const addedColumns = [
  "text TEXT", // of an item made from a text
  "added_at INTEGER", // milliseconds since 1970; null for items of older versions
];
const aliasTable = "CREATE TABLE aliases (alias TEXT PRIMARY KEY, collection TEXT NOT NULL);";
/** What version 4 added. */
const mediaTable = `
  CREATE TABLE media (
    row INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, media_type TEXT NOT NULL
  );
  CREATE INDEX media_by_hash ON media (sha256);`;

/**
 * Version 1 accepted metadata nested deeper than SQLite reads, and one such item made every filter
 * of its collection fail.
 */
function upgrade(db: Database, from: number) {
  transaction(db, () => {
    if (from === 1) mendDeepMetadata(db);
    if (from < 3) {
      for (const column of addedColumns) db.exec(`ALTER TABLE items ADD COLUMN ${column}`);
      db.exec(aliasTable);
    }
    db.exec(`${mediaTable} PRAGMA user_version = ${schemaVersion}`);
  });
}

/** @throws AppError storage_corrupt when the database is foreign or of another version. */
export function checkSchemaVersion(db: Database): number {
  const version = versionOf(db);
  if (version < 1 || version > schemaVersion) {
    const advice =
      version > schemaVersion
        ? "; a later crossmodal has used it: start that one, or restore an earlier backup"
        : "";
    const message = `Expected a database of version ${schemaVersion} but found version ${version}`;
    throw new AppError("storage_corrupt", message + advice);
  }
  return version;
}

function versionOf(db: Database): number {
  return guard(
    () => (db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version,
  );
}
