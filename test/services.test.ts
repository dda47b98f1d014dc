// slow: loads the starter models
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/config.js";
import type { Log } from "../src/log.js";
import { createServices } from "../src/services.js";

describe("createServices", () => {
  it("logs why there is no GPU once, not for each tower", async () => {
    const lines: { fields: Record<string, unknown>; message: unknown }[] = [];
    const keep = (fields: unknown, message: unknown) => {
      lines.push({ fields: fields as Record<string, unknown>, message });
    };
    const log = { debug: keep, info: keep, warn: keep, error: keep } as unknown as Log;
    const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-services-"));
    const services = await createServices(
      { ...loadConfig({ environment: {} }), dataDir, device: "auto" },
      log,
    );
    const towers = services.packs.list().flatMap((pack) => pack.towers);
    await services.close();
    const reasons = new Set(towers.flatMap(({ fallbackReason }) => fallbackReason ?? []));
    expect(towers.length).toBeGreaterThan(2);
    expect(
      lines
        .filter(({ message }) => message === "running on the CPU")
        .map(({ fields }) => fields.reason),
    ).toEqual([...reasons]);
    const loaded = lines.filter(({ message }) => message === "model loaded");
    expect(loaded.length).toBe(2);
    expect(JSON.stringify(loaded)).not.toContain("fallbackReason");
    for (const reason of reasons)
      expect(JSON.stringify(lines).split(JSON.stringify(reason))).toHaveLength(2);
  });
});
