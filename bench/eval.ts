/**
 * Zero-shot accuracy of the starter packs on what training never saw, asked through the server:
 *
 *     npm run eval -- DATA [--url http://127.0.0.1:8080] [--only pictures|sounds]
 *         [--picture-model ID] [--sound-model ID] [--json]
 *
 * DATA holds the archives and folders that models/starter/{image,audio}/splits.json name; nothing
 * of them is in the repository. Every file goes to POST /v1/zero-shot with all labels of its set
 * and the model's own templates. With `--url` another server answers, for example one of an older
 * version. Pictures are asked for a second time shrunk to 32 x 32 pixels. The interval is Wilson's,
 * 95 %: sets are small, and a difference inside it means nothing.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { progressBar } from "../src/commands/progress.js";
import { openTarget } from "../src/commands/target.js";
import { loadConfig } from "../src/config.js";
import { readArguments, wrongUsage } from "./read-arguments.js";

interface LabelledSet {
  labels: string[];
  /** Path inside the data folder or the archive -> place of its label. */
  files: Record<string, number>;
  archive?: string;
}

const { values, positionals } = readArguments(import.meta.url, {
  allowPositionals: true,
  options: {
    url: { type: "string" },
    only: { type: "string" },
    "picture-model": { type: "string", default: "starter-clip" },
    "sound-model": { type: "string", default: "starter-clap" },
    json: { type: "boolean", default: false },
  },
});
const [data] = positionals;
if (data === undefined || !["pictures", "sounds", undefined].includes(values.only))
  wrongUsage(import.meta.url);

const setsOf = (kind: string) => {
  const path = new URL(`../models/starter/${kind}/splits.json`, import.meta.url);
  return Object.entries(
    (JSON.parse(readFileSync(path, "utf8")) as { sets: Record<string, LabelledSet> }).sets,
  );
};
const shrink = (bytes: Uint8Array) =>
  sharp(bytes).resize(32, 32, { fit: "cover", kernel: "cubic" }).png().toBuffer();
const asIs = async (bytes: Uint8Array) => bytes;

const models = [...new Set([values["picture-model"], values["sound-model"]])].join(",");
const target = await openTarget(loadConfig({ flags: { models, logLevel: "error" } }), {
  url: values.url,
});
const unpacked = new Map<string, string>();
try {
  for (const [title, set] of values.only === "sounds" ? [] : setsOf("image")) {
    await evaluate(title, set, "image", values["picture-model"], asIs);
    await evaluate(`${title}, 32 px`, set, "image", values["picture-model"], shrink);
  }
  for (const [title, set] of values.only === "pictures" ? [] : setsOf("audio")) {
    await evaluate(title, set, "audio", values["sound-model"], asIs);
  }
} finally {
  await target.close();
  for (const folder of unpacked.values()) rmSync(folder, { recursive: true, force: true });
}

async function evaluate(
  title: string,
  set: LabelledSet,
  modality: "image" | "audio",
  model: string,
  prepare: (bytes: Uint8Array) => Promise<Uint8Array>,
): Promise<void> {
  const folder = set.archive === undefined ? data : unpack(join(data, set.archive));
  const files = Object.entries(set.files);
  const bar = progressBar(files.length, title);
  let right = 0;
  for (const [file, place] of files) {
    const media = await prepare(readFileSync(join(folder, file)));
    const request = { [modality]: media, candidate_labels: set.labels, model, top_k: 1 };
    const answer = await target.zeroShot(request);
    if (answer.scores[0].label === set.labels[place]) right++;
    bar.step();
  }
  bar.stop();
  const n = files.length;
  const [low, high] = wilson(right, n);
  const figures = {
    set: title,
    model,
    files: n,
    labels: set.labels.length,
    top_1: right / n,
    low,
    high,
  };
  if (values.json) console.log(JSON.stringify(figures));
  else {
    const percent = (x: number) => (100 * x).toFixed(1).padStart(5);
    console.log(
      `${`${title} (${n} files, ${set.labels.length} labels)`.padEnd(64)} ` +
        `${percent(right / n)} %  [${percent(low)}, ${percent(high)}]`,
    );
  }
}

function unpack(archive: string): string {
  const before = unpacked.get(archive);
  if (before !== undefined) return before;
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-eval-"));
  unpacked.set(archive, folder);
  execFileSync("tar", ["-xf", archive, "-C", folder]);
  return folder;
}

/** 95 % interval of a share. Source: Wilson 1927. */
function wilson(right: number, n: number): [number, number] {
  const z = 1.96;
  const share = right / n;
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half =
    (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [centre - half, centre + half];
}
