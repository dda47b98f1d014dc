// slow: opens hundreds of damaged folders
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.js";
import { checkBackup } from "../../../src/index/embedded/backup-file.js";
import { checkDataFolder } from "../../../src/index/embedded/check-data-folder.js";
import { databaseFiles } from "../../../src/index/embedded/inspect-database.js";
import { StoreCore } from "../../../src/index/embedded/store-core.js";
import { seededRandom } from "../../../src/math/random.js";
import { randomItems } from "../random-items.js";

const dimensions = 16;
const items = randomItems(300, dimensions).map(({ embedding, ...item }, i) => ({
  id: item.id,
  modality: 1,
  embedding,
  metadata: JSON.stringify({ year: 1900 + (i % 100), text: `text ${i} `.repeat(20) }),
  addedAt: { now: 1.7e12 + i },
  preview: { mediaType: "image/webp", bytes: new Uint8Array(500).fill(i) },
}));
const query = randomItems(1, dimensions, 9)[0].embedding;
const rounds = Number(process.env.CROSSMODAL_DAMAGE_ROUNDS ?? 10);

const base = mkdtempSync(join(tmpdir(), "crossmodal-damage-"));
afterAll(() => rmSync(base, { recursive: true }));
const closed = join(base, "closed");
const killed = join(base, "killed");
let expected: unknown;

const options = { engine: "usearch", scanUpTo: 50, scanHighUpTo: 50, snapshotAfter: 100 } as const;

/**
 * SQLite lets go of a closed database when its last statement is collected; in the product the
 * thread ends before.
 */
async function withStore<T>(dataDir: string, work: (core: StoreCore) => Promise<T>): Promise<T> {
  const run = async () => {
    const core = await StoreCore.open({ dataDir, ...options });
    try {
      return await work(core);
    } finally {
      await core.close();
    }
  };
  try {
    return await run();
  } finally {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

setFlagsFromString("--expose_gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Everything that can be asked, as far as it does not depend on which plan is used. */
async function answers(core: StoreCore) {
  const filter = { field: "year", op: "gte" as const, value: 1950 };
  const ids = items.map(({ id }) => id);
  const [{ neighbors }] = await core.search(
    "c",
    [{ embedding: query, topK: 20, recall: "exact" }],
    {},
  );
  const centering = { queryModality: 0 }; // depends on the means
  const [centred] = await core.search(
    "c",
    [{ embedding: query, topK: 20, recall: "exact", centering }],
    {},
  );
  return {
    stats: core.stats("c").countByModality,
    rows: core.get("c", ids),
    filtered: core.page("c", { limit: 1000, order: "oldest", filter }),
    count: core.count("c", filter),
    previews: ids.slice(0, 50).map((id) => core.preview("c", id)),
    centred: centred.neighbors,
    neighbors,
  };
}

beforeAll(async () => {
  const dataDir = join(base, "made");
  mkdirSync(dataDir);
  const shape = { space: "s", dimensions };
  await withStore(dataDir, async (core) => {
    await core.createCollection({ name: "c", space: "s", dimensions, fields: ["year"] });
    await core.upsert("c", shape, items.slice(0, 250));
    core.warmUp("c");
    await core.whenIndexed();
  });
  await withStore(dataDir, async (core) => {
    for (const item of items.slice(250)) await core.upsert("c", shape, [item]);
    expected = await answers(core);
    // What a kill leaves: the log is not in the database yet
    cpSync(dataDir, killed, { recursive: true });
  });
  cpSync(dataDir, closed, { recursive: true });
});

/**
 * Damages a copy of a folder. @returns what became of it: right answers, or an error that names the
 * file.
 */
async function outcome(folder: string, damage: (copy: string) => void) {
  const copy = join(base, "copy");
  rmSync(copy, { recursive: true, force: true });
  cpSync(folder, copy, { recursive: true });
  damage(copy);
  try {
    await withStore(copy, async (core) => {
      expect(await answers(core)).toEqual(expected);
      await core.backup(join(copy, "backup.sqlite"));
      checkBackup(join(copy, "backup.sqlite"));
    });
    return { right: true };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { error };
  }
}

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/reserve|pid|journal|lock/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

describe("a data folder with a damaged file", () => {
  for (const [state, folder] of [
    ["closed", closed],
    ["killed", killed],
  ]) {
    it(`(${state}) answers right or names the file, whichever byte is flipped`, async () => {
      const random = seededRandom(7);
      let refused = 0;
      for (const file of filesOf(folder)) {
        const size = statSync(join(folder, file)).size;
        for (let round = 0; round < (size === 0 ? 0 : rounds); round++) {
          const at = random.integer(size);
          const { error } = await outcome(folder, (copy) => flip(join(copy, file), at));
          if (error === undefined) continue;
          refused++;
          const told = { code: error.code, message: error.message };
          const name = expect.stringContaining(basename(file));
          expect(told, `byte ${at} of ${file}`).toEqual({ code: "storage_corrupt", message: name });
        }
      }
      expect(refused).toBeGreaterThan(rounds);
    }, 120_000);

    it(`(${state}) notices every byte of the database`, async () => {
      const { size } = statSync(databaseFiles(folder).database);
      const inLog = state === "killed"; // pages that the log holds are not read from the database
      const random = seededRandom(8);
      for (let round = 0; round < rounds; round++) {
        const at = random.integer(size);
        const result = await outcome(folder, (copy) => flip(databaseFiles(copy).database, at));
        if (!inLog) expect(result.error?.message).toContain("crossmodal.sqlite");
      }
    }, 120_000);

    for (const [what, damage] of [
      ["emptied", (file: string) => truncateSync(file, 0)],
      ["cut in half", (file: string) => truncateSync(file, statSync(file).size >> 1)],
      ["gone", (file: string) => rmSync(file)],
    ] as const) {
      it(`(${state}) answers right or names the file when one is ${what}`, async () => {
        for (const file of filesOf(folder)) {
          const { error } = await outcome(folder, (copy) => damage(join(copy, file)));
          if (error !== undefined) expect(error.message).toContain(basename(file));
          const isNeeded = /sqlite/.test(file) && statSync(join(folder, file)).size > 0;
          if (isNeeded) expect(error, `${file} ${what}`).toMatchObject({ code: "storage_corrupt" });
        }
      });
    }
  }

  it("notices a log that was cut, within a page or between two", async () => {
    const { size } = statSync(databaseFiles(killed).log);
    const frame = 24 + 16384;
    for (let bytes = 0; bytes < size; bytes += 16 * frame) {
      for (const at of bytes === 0 ? [0, 31, 32] : [32 + bytes - frame, 31 + bytes]) {
        const { error } = await outcome(killed, (copy) =>
          truncateSync(databaseFiles(copy).log, at),
        );
        expect(error?.message, `cut at ${at}`).toContain("crossmodal.sqlite-wal");
      }
    }
  }, 120_000);

  it("notices that the database is gone while the rest remains", async () => {
    for (const keep of ["crossmodal.sums", "index", "crossmodal.sqlite-wal"]) {
      const { error } = await outcome(killed, (copy) => {
        for (const name of readdirSync(copy))
          if (name !== keep) rmSync(join(copy, name), { recursive: true });
      });
      expect(error).toMatchObject({
        code: "storage_corrupt",
        message: expect.stringContaining('crossmodal.sqlite" is gone'),
      });
    }
  });

  it("is told by doctor's check, which changes nothing", async () => {
    for (const folder of [closed, killed]) {
      const copy = join(base, "copy");
      for (const file of [undefined, ...filesOf(folder)]) {
        rmSync(copy, { recursive: true, force: true });
        cpSync(folder, copy, { recursive: true });
        if (file !== undefined) rmSync(join(copy, file));
        const before = filesOf(copy).map((name) => [name, crc32(readFileSync(join(copy, name)))]);
        const findings = await checkDataFolder(copy);
        const after = filesOf(copy).map((name) => [name, crc32(readFileSync(join(copy, name)))]);
        expect(after).toEqual(before);
        const wrong = findings.filter(({ ok }) => !ok);
        // Is read when the log has been
        const isKilledIndex = folder === killed && file?.startsWith("index");
        if (file === undefined || isKilledIndex) expect(wrong).toEqual([]);
        else if (statSync(join(folder, file)).size > 0)
          expect(wrong[0]?.found ?? `${file} ${JSON.stringify(findings)}`).toContain(
            basename(file),
          );
      }
    }
  });

  it("is named where a file cannot be read", async () => {
    const { error } = await outcome(closed, (copy) => {
      rmSync(databaseFiles(copy).sums);
      mkdirSync(databaseFiles(copy).sums);
    });
    expect(error).toMatchObject({
      code: "storage_failed",
      message: expect.stringContaining('crossmodal.sums" cannot be read'),
    });
    expect(await checkDataFolder(join(base, "copy"))).toContainEqual(
      expect.objectContaining({ ok: false, found: expect.stringContaining("crossmodal.sums") }),
    );
  });

  it("is taken as it is once its checksums are deleted", async () => {
    const { error, right } = await outcome(closed, (copy) => rmSync(databaseFiles(copy).sums));
    expect({ error, right }).toEqual({ error: undefined, right: true });
    expect(existsSync(databaseFiles(join(base, "copy")).sums)).toBe(true);
  });
});

describe("a backup", () => {
  it("with any byte flipped, or cut anywhere, is refused", async () => {
    const file = join(base, "backup.sqlite");
    await withStore(join(base, "made"), (core) => core.backup(file));
    const bytes = readFileSync(file);
    const random = seededRandom(9);
    const bad = join(base, "bad.sqlite");
    for (let round = 0; round < rounds * 4; round++) {
      const damaged = Buffer.from(bytes);
      damaged[random.integer(damaged.length)] ^= 1 << random.integer(8);
      writeFileSync(bad, damaged);
      expect(() => checkBackup(bad)).toThrow(/damaged/);
      writeFileSync(bad, bytes.subarray(0, random.integer(bytes.length)));
      expect(() => checkBackup(bad)).toThrow();
    }
  });

  it("of a database that is damaged meanwhile is refused", async () => {
    const copy = join(base, "copy");
    rmSync(copy, { recursive: true, force: true });
    cpSync(closed, copy, { recursive: true });
    const message = expect.stringContaining("crossmodal.sqlite");
    await withStore(copy, async (core) => {
      flip(databaseFiles(copy).database, 16384 * 3 + 5000);
      const backup = core.backup(join(copy, "backup.sqlite"));
      await expect(backup).rejects.toMatchObject({ code: "storage_corrupt", message });
    });
    expect(existsSync(join(copy, "backup.sqlite"))).toBe(false);
  });
});

function flip(file: string, at: number) {
  const bytes = readFileSync(file);
  bytes[at] ^= 0xff;
  writeFileSync(file, bytes);
}
