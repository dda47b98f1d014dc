import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { CheckedDatabase } from "../../../src/index/embedded/checked-database.js";
import { databaseFiles } from "../../../src/index/embedded/inspect-database.js";
import { StoreUpkeep } from "../../../src/index/embedded/store-upkeep.js";

let close: (() => void) | undefined;

afterEach(() => {
  vi.useRealTimers();
  close?.();
});

function openUpkeep() {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-upkeep-"));
  const database = CheckedDatabase.open(dataDir);
  const upkeep = new StoreUpkeep(database, dataDir);
  close = () => {
    upkeep.close();
    database.close();
    rmSync(dataDir, { recursive: true });
  };
  let made = 0;
  const commit = () => {
    database.db.exec(
      `INSERT INTO collections (name, space, dimensions, fields, options, created_at)
       VALUES ('c${made++}', 's', 2, '[]', '{}', '')`,
    );
    upkeep.committed();
  };
  return { dataDir, upkeep, commit };
}

it("empties the log after ten seconds without a commit, not between those of a stream", () => {
  const { dataDir, commit } = openUpkeep();
  const logBytes = () => statSync(databaseFiles(dataDir).log).size;
  let before = 0;
  for (let second = 0; second < 15; second++) {
    commit();
    expect(logBytes()).toBeGreaterThan(before);
    before = logBytes();
    vi.advanceTimersByTime(1500);
  }
  vi.advanceTimersByTime(10_000);
  expect(logBytes()).toBe(0);
});

it("makes the reserve again although commits go on", () => {
  const { dataDir, upkeep, commit } = openUpkeep();
  const reserve = join(dataDir, "crossmodal.reserve");
  expect(existsSync(reserve)).toBe(true);
  expect(upkeep.makeRoom(true)).toBe(true);
  expect(existsSync(reserve)).toBe(false);
  for (let i = 0; i < 3; i++) {
    commit();
    vi.advanceTimersByTime(500);
  }
  expect(existsSync(reserve)).toBe(true);
});
