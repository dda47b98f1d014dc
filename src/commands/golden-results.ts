import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { z } from "zod";
import type { Config } from "../config.js";
import { DataType, modalities } from "../encoders/manifest.js";
import { readManifest } from "../encoders/read-manifest.js";
import { findBuiltIn, shippedModels } from "../models/built-in.js";
import { findManifest } from "../models/store.js";
import { readMediaFile } from "./media-input.js";
import { openTarget } from "./target.js";

/**
 * `golden.json` beside a manifest: published zero-shot results, to check that they are reproduced
 * here.
 */
const Golden = z.strictObject({
  samples: z.array(
    z.strictObject({
      what: z.string(),
      /** Where the scores were published. */
      source: z.string(),
      modality: z.enum(["image", "audio"]),
      /** The media is not ours to ship: the user provides it under this name. */
      file: z.string(),
      url: z.string(),
      labels: z.array(z.string()).min(2),
      template: z.string().includes("{}"),
      dtype: DataType,
      /** One for each label. */
      scores: z.array(z.number()).min(2),
      /** Largest difference between scores that count as equal. */
      tolerance: z.number().positive(),
    }),
  ),
});

export interface GoldenResult {
  id: string;
  what: string;
  verdict: "same" | "FAILED" | "skipped";
  detail: string;
}

/**
 * Runs a model's published samples as requests, on those of `files` that have their names.
 */
export async function goldenResults(
  id: string,
  config: Config,
  files: readonly string[],
): Promise<GoldenResult[]> {
  const path = findManifest(config.dataDir, id);
  const manifest = await readManifest(path);
  const builtIn = findBuiltIn(manifest.source) ?? findBuiltIn(id);
  const golden = [
    dirname(path),
    ...(builtIn === undefined ? [] : [join(shippedModels, builtIn.id)]),
  ]
    .map((folder) => join(folder, "golden.json"))
    .find((file) => existsSync(file));
  if (golden === undefined)
    return [{ id, what: "golden", verdict: "skipped", detail: "there is no published result" }];
  const { samples } = Golden.parse(JSON.parse(await readFile(golden, "utf8")));
  const results: GoldenResult[] = [];
  for (const { what, modality, file, url, labels, template, dtype, scores, tolerance } of samples) {
    const stem = (name: string) => basename(name, extname(name));
    const media = files.find((candidate) => stem(candidate) === stem(file));
    const lacks = modalities.some(
      (tower) => manifest.towers[tower] && !manifest.towers[tower].files[dtype],
    );
    if (media === undefined || lacks) {
      const detail = lacks
        ? `published for ${dtype}, which is not installed`
        : `needs --media ${file} (${url})`;
      results.push({ id, what, verdict: "skipped", detail });
      continue;
    }
    const target = await openTarget({ ...config, models: [id], dtype }, {});
    try {
      const body = {
        [modality]: (await readMediaFile(media)).base64,
        candidate_labels: labels,
        hypothesis_template: template,
      };
      const answer = await target.zeroShot(body);
      const found = labels.map(
        (label) => answer.scores.find((score) => score.label === label)!.score,
      );
      const off = Math.max(...found.map((score, i) => Math.abs(score - scores[i])));
      const numbers = (values: number[]) => values.map((value) => value.toPrecision(4)).join(", ");
      const detail =
        `published ${numbers(scores)}, here ` + `${numbers(found)} (at most ${tolerance} apart)`;
      results.push({ id, what, verdict: off <= tolerance ? "same" : "FAILED", detail });
    } finally {
      await target.close();
    }
  }
  return results;
}
