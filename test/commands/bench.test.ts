import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runMain } from "../helpers/run-main.js";

describe("crossmodal bench", () => {
  it("measures each tower at batch 1 and the largest, and search in a temporary collection", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-bench-"));
    const flags = [
      "--data-dir",
      dataDir,
      "--device",
      "cpu",
      "--seconds",
      "0.01",
      "--items",
      "50",
      "--max-batch",
      "2",
    ];
    const { code, stdout } = await runMain("bench", ...flags, "--json");
    expect(code).toBe(0);
    const { encode, search } = JSON.parse(stdout);
    const measured = encode.map(({ model, modality, batch }: Record<string, unknown>) => [
      model,
      modality,
      batch,
    ]);
    expect(measured).toEqual([
      ["starter-clip", "text", 1],
      ["starter-clip", "text", 2],
      ["starter-clip", "image", 1],
      ["starter-clip", "image", 2],
      ["starter-clap", "text", 1],
      ["starter-clap", "text", 2],
      ["starter-clap", "audio", 1],
      ["starter-clap", "audio", 2],
    ]);
    expect(
      encode.every(({ items_per_second }: { items_per_second: number }) => items_per_second > 0),
    ).toBe(true);
    expect(search).toMatchObject([
      { items: 50, recall: "exact", plan: "exact" },
      { items: 50, recall: "high" },
    ]);
  });
});
