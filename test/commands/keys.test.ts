import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { keyFolder, readKeys } from "../../src/access/key-file.js";
import { runMain } from "../helpers/run-main.js";

it("makes keys that expire at a date or after a time, and no other", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-keys-"));
  const create = (expires: string) =>
    runMain("keys", "create", "ada", "--expires", expires, "--data-dir", dataDir);
  for (const time of ["2100-01-31", "2100-01-31T18:00:00+02:00", "30d", "12h"])
    expect((await create(time)).code, time).toBe(0);
  const [date, hour, days] = (await readKeys(keyFolder(dataDir))).map(
    ({ expires_at }) => expires_at,
  );
  expect([date, hour]).toEqual(["2100-01-31T00:00:00.000Z", "2100-01-31T16:00:00.000Z"]);
  expect(Date.parse(days!) - Date.now()).toBeGreaterThan(29 * 24 * 3_600_000);
  // The first would be 2040 for `Date.parse`, the second 2 March
  for (const time of ["40", "2100-02-30", "31.12.2100", "2020-01-01", "0d", "999999999999d", ""]) {
    const { code, stderr } = await create(time);
    expect([code, stderr], time).toEqual([2, expect.stringContaining("a time in the future")]);
  }
});
