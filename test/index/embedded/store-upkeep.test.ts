import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { CheckedDatabase } from "../../../src/index/embedded/checked-database.js";
import { databaseFiles } from "../../../src/index/embedded/inspect-database.js";
import { StoreUpkeep } from "../../../src/index/embedded/store-upkeep.js";

const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-upkeep-"));

afterEach(() => {
  vi.useRealTimers();
  rmSync(dataDir, { recursive: true, force: true });
});

it("empties the log after ten seconds without a commit, not between those of a stream", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const database = CheckedDatabase.open(dataDir);
  const upkeep = new StoreUpkeep(database, dataDir);
  const logBytes = () => statSync(databaseFiles(dataDir).log).size;
  let before = 0;
  for (let second = 0; second < 15; second++) {
    database.db.exec(
      `INSERT INTO collections (name, space, dimensions, fields, options, created_at)
       VALUES ('c${second}', 's', 2, '[]', '{}', '')`,
    );
    upkeep.committed();
    expect(logBytes()).toBeGreaterThan(before);
    before = logBytes();
    vi.advanceTimersByTime(1500);
  }
  vi.advanceTimersByTime(10_000);
  expect(logBytes()).toBe(0);
  upkeep.close();
  database.close();
});
