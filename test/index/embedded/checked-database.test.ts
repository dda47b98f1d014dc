import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { CheckedDatabase } from "../../../src/index/embedded/checked-database.js";
import { databaseFiles } from "../../../src/index/embedded/inspect-database.js";

/** What a power cut leaves of the notes: as of their last sync. */
let syncedSums: Buffer | undefined;
let sumsFile = "";
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  return {
    ...fs,
    fsyncSync: (handle: number) => {
      fs.fsyncSync(handle);
      const found = fs.statSync(sumsFile, { throwIfNoEntry: false });
      if (found?.ino === fs.fstatSync(handle).ino) syncedSums = fs.readFileSync(sumsFile);
    },
  };
});

const base = mkdtempSync(join(tmpdir(), "crossmodal-checked-"));
afterAll(() => rmSync(base, { recursive: true }));
const pageSize = 16384;

/** Commits a change of several pages. */
function commit(database: CheckedDatabase, name: string) {
  const options = JSON.stringify({ long: "x".repeat(5 * pageSize) });
  database.db.exec(
    `INSERT INTO collections (name, space, dimensions, fields, options, created_at)
     VALUES ('${name}', 's', 2, '[]', '${options}', '')`,
  );
}

/**
 * What a copy of the folder holds. A copy, since SQLite lets go of a closed database only when its
 * last statement is collected.
 */
function namesIn(dataDir: string): string[] {
  const database = CheckedDatabase.open(copyOf(dataDir));
  const rows = database.db.prepare("SELECT name FROM collections ORDER BY name").all();
  database.close();
  return rows.map((row) => (row as { name: string }).name);
}

function copyOf(dataDir: string): string {
  const copy = mkdtempSync(join(base, "copy-"));
  cpSync(dataDir, copy, { recursive: true });
  return copy;
}

/** A data folder as a killed process leaves it, with the log of one more commit. */
function killedInCommit() {
  const dataDir = mkdtempSync(join(base, "killed-"));
  const database = CheckedDatabase.open(dataDir);
  commit(database, "a");
  database.committed();
  const before = copyOf(dataDir);
  commit(database, "b");
  const log = readFileSync(databaseFiles(dataDir).log);
  database.close();
  return { before, log };
}

it.each([
  ["before its page", (end: number) => end - pageSize],
  ["within its page", (end: number) => end - pageSize / 2],
  ["within its header", (end: number) => end - pageSize - 4],
])("knows that a commit killed in its last frame, %s, is none", (_, cut) => {
  const { before, log } = killedInCommit();
  const file = databaseFiles(before).log;
  writeFileSync(file, log);
  truncateSync(file, cut(log.length));

  expect(namesIn(before)).toEqual(["a"]);
  CheckedDatabase.open(before).close();
  expect(namesIn(before)).toEqual(["a"]);
});

it("is not misled by what a failed write left in the log", () => {
  const dataDir = mkdtempSync(join(base, "failed-"));
  const { log } = databaseFiles(dataDir);
  const database = CheckedDatabase.open(dataDir);
  commit(database, "a");
  database.committed();
  // The last frame once more, without its page: the header says that it commits
  const bytes = readFileSync(log);
  const frame = bytes.subarray(bytes.length - pageSize - 24);
  appendFileSync(log, frame.subarray(0, 24));
  appendFileSync(log, Buffer.alloc(pageSize));
  database.committed();
  commit(database, "b");
  database.committed();
  commit(database, "c");
  database.committed();
  database.close();

  expect(namesIn(dataDir)).toEqual(["a", "b", "c"]);
});

it("is whole after a power cut between a checkpoint and the writing of the sums", () => {
  const dataDir = mkdtempSync(join(base, "power-"));
  const files = databaseFiles(dataDir);
  sumsFile = files.sums;
  const database = CheckedDatabase.open(dataDir);
  commit(database, "a");
  database.committed();
  database.checkpoint();
  const left = copyOf(dataDir);
  database.close();

  expect(statSync(join(left, "crossmodal.sqlite-wal")).size).toBe(0);
  writeFileSync(databaseFiles(left).sums, syncedSums as Buffer);
  expect(namesIn(left)).toEqual(["a"]);
});

it("goes on from the log where a power cut left holes in the notes", () => {
  const dataDir = mkdtempSync(join(base, "holes-"));
  const database = CheckedDatabase.open(dataDir);
  const { sums } = databaseFiles(dataDir);
  const ends = ["a", "b", "c"].map((name) => {
    commit(database, name);
    database.committed();
    return statSync(sums).size;
  });
  const left = copyOf(dataDir);
  database.close();

  const notes = readFileSync(sums.replace(dataDir, left));
  notes.fill(0, ends[0] + 30, ends[1]); // of the second entry only the beginning
  writeFileSync(databaseFiles(left).sums, notes);
  expect(namesIn(left)).toEqual(["a", "b", "c"]);
  CheckedDatabase.open(left).close();
  expect(namesIn(left)).toEqual(["a", "b", "c"]);
});
