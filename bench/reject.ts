/**
 * How well are inputs told that no label fits, and are multi_label scores probabilities?
 *
 *     npx tsx bench/reject.ts --known FOLDER --unknown FOLDER [--model starter-clip] [--each
 *         30] [--unknowns 2000] [--names FILE.csv] [--cache FILE]
 *
 * `--known` has a folder for each label, named as the label or as its first column in `--names`
 * (the first name of the second column is taken); `--unknown` holds pictures or sounds at any
 * depth, none of which fits a label. Prints, for the shipped background: AUROC of several scores,
 * and the share of unknown and known inputs that pass at 1, 5 and 10 %; for a part of the unknown
 * folders as background: the same on the others; for half of the known labels, with the items of the
 * other half as near unknowns: the same with the shipped background, and with a quarter of the
 * labels as background tested on another quarter; and for calibrations on the known folders: what
 * `report` says of labels left out. Intervals are Wilson's, 95 %. `--cache` keeps the embeddings
 * for the next run, or for this one when it was cut off.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { loadConfig } from "../src/config.js";
import type { Encoder } from "../src/encoders/encoder.js";
import { embedAll } from "../src/heads/embed-column.js";
import { createLog } from "../src/log.js";
import { auroc } from "../src/math/auroc.js";
import { seededRandom } from "../src/math/random.js";
import { type Rows, rowAt, rowCount, rowsOf, take } from "../src/math/rows.js";
import { logSumExp } from "../src/math/softmax.js";
import { createServices } from "../src/services.js";
import { fitCalibration } from "../src/training/calibration.js";
import { classEmbeddings } from "../src/zero-shot/class-embeddings.js";
import { backgroundOdds, logitsOf, type Odds, oddsOf } from "../src/zero-shot/reference.js";
import { readArguments, wrongUsage } from "./read-arguments.js";

const { values } = readArguments(import.meta.url, {
  options: {
    known: { type: "string" },
    unknown: { type: "string" },
    model: { type: "string", default: "starter-clip" },
    each: { type: "string", default: "30" },
    unknowns: { type: "string", default: "2000" },
    names: { type: "string" },
    cache: { type: "string" },
  },
});
if (values.known === undefined || values.unknown === undefined) wrongUsage(import.meta.url);

const random = seededRandom(1);
const some = <T>(list: readonly T[], count: number): T[] =>
  [...random.permutation(list.length)].slice(0, count).map((i) => list[i]);
const isMedia = (file: string) => /\.(png|jpe?g|webp|gif|wav|ogg|mp3|flac|opus)$/i.test(file);
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(isMedia)
    .sort()
    .map((file) => join(folder, file));

const embeddings = new Map(
  (values.cache === undefined || !existsSync(values.cache)
    ? []
    : readFileSync(values.cache, "utf8").trimEnd().split("\n")
  ).map((line) => {
    const [key, text] = line.split("\t");
    const bytes = Buffer.from(text, "base64");
    return [key, new Float32Array(new Uint8Array(bytes).buffer)] as const;
  }),
);
const config = loadConfig({ flags: { models: values.model, logLevel: "error" } });
const services = await createServices(config, createLog("error"));
try {
  await run();
} finally {
  await services.close();
}

async function run(): Promise<void> {
  const pack = services.packs.find(values.model, "text");
  const modality = pack.encoders.image === undefined ? "audio" : "image";
  const spelled = new Map(
    values.names === undefined
      ? []
      : readFileSync(values.names, "utf8")
          .split("\n")
          .map((line) => [line.split(",")[0], line.slice(line.indexOf(",") + 1)] as const)
          .map(([id, name]) => [id, name.replaceAll('"', "").split(",")[0].trim()] as const),
  );
  const folders = readdirSync(values.known!).sort();
  const labels = folders.map((folder) => spelled.get(folder) ?? folder);
  const files = folders.flatMap((folder, c) =>
    some(filesIn(join(values.known!, folder)), Number(values.each)).map((file) => ({ file, c })),
  );
  const strangers = some(filesIn(values.unknown!), Number(values.unknowns));
  const [knownItems, kept] = await embedded(files.map(({ file }) => file));
  const classes = Int32Array.from(kept, (i) => files[i].c);
  const [unknownItems, keptStrangers] = await embedded(strangers);
  const groups = keptStrangers.map((i) => basename(dirname(strangers[i])));

  const templates = pack.manifest.promptTemplates[modality] ?? ["{}"];
  const texts = rowsOf(
    await classEmbeddings(pack.encoders.text as Encoder<"text">, labels, { templates }),
  );
  const { neutral } = await services.referenceBank.neutral(pack, modality, templates);
  const background = await services.referenceBank.background(pack, modality);
  const scale = pack.manifest.logitScale;
  const measureOf = (some: Rows) => (x: Float32Array) =>
    oddsOf(logitsOf(some, x, scale), logitsOf(neutral, x, scale));
  const measure = measureOf(texts);
  const each = (rows: Rows, score: (x: Float32Array) => number) =>
    Array.from({ length: rowCount(rows) }, (_, i) => score(rowAt(rows, i)));

  console.log(
    `${values.model}: ${rowCount(knownItems)} known of ${labels.length} labels, ` +
      `${rowCount(unknownItems)} unknown`,
  );
  const logits = (x: Float32Array) => logitsOf(texts, x, scale);
  const scores: [string, (x: Float32Array) => number][] = [
    ["largest cosine", (x) => Math.max(...logits(x))],
    ["largest softmax (MCM)", (x) => Math.max(...logits(x)) - logSumExp(logits(x))],
    ["ln sum exp (energy)", (x) => logSumExp(logits(x))],
    ["odds against neutral texts", (x) => measure(x).all],
  ];
  for (const [name, score] of scores)
    console.log(
      `  AUROC ${auroc(each(knownItems, score), each(unknownItems, score)).toFixed(3)}  ${name}`,
    );

  const passing = async (
    from: Rows,
    title: string,
    { unknown, known = knownItems, by = texts }: { unknown: Rows; known?: Rows; by?: Rows },
  ) => {
    const names = Array.from({ length: rowCount(by) }, (_, i) => String(i));
    const odds = await backgroundOdds({ background: from }, names, measureOf(by));
    const values = new Map([unknown, known].map((rows) => [rows, oddsOfRows(rows, measureOf(by))]));
    for (const rate of [0.01, 0.05, 0.1]) {
      const share = (rows: Rows) => {
        const passed = values.get(rows)!.map((one) => +odds.verdict(one, rate).known);
        const count = passed.reduce((sum, one) => sum + one, 0);
        const [low, high] = wilson(count, passed.length).map((p) => (100 * p).toFixed(1));
        return (
          `${((100 * count) / passed.length).toFixed(1)} % [${low}, ${high}] of ` +
          `${passed.length}`
        );
      };
      console.log(
        `  ${title}, asked ${100 * rate} %: unknown ${share(unknown)}, known ${share(known)}`,
      );
    }
  };
  await passing(background, "shipped background", { unknown: unknownItems });
  const different = some([...new Set(groups)], new Set(groups).size);
  const fitOn = new Set(different.slice(0, Math.floor(0.4 * different.length)));
  const at = (isFit: boolean) => [...groups.keys()].filter((i) => fitOn.has(groups[i]) === isFit);
  await passing(
    take(unknownItems, at(true).slice(0, 1000)),
    `background of ${fitOn.size} other unknown folders`,
    { unknown: take(unknownItems, at(false)) },
  );
  const order = some([...labels.keys()], labels.length);
  const part = (from: number, to: number) =>
    order.slice(Math.floor(from * order.length), Math.floor(to * order.length));
  const itemsOf = (some: readonly number[]) =>
    take(
      knownItems,
      [...classes.keys()].filter((i) => some.includes(classes[i])),
    );
  const offered = { known: itemsOf(part(0, 0.5)), by: take(texts, part(0, 0.5)) };
  const near = itemsOf(part(0.5, 1));
  await passing(background, "near unknowns, shipped background", { unknown: near, ...offered });
  const title = "near unknowns, fitted on other labels";
  const fitted = { unknown: itemsOf(part(0.75, 1)), ...offered };
  await passing(itemsOf(part(0.5, 0.75)), title, fitted);
  const { report } = fitCalibration({
    items: knownItems,
    classes,
    texts,
    neutral,
    logitScale: scale,
  });
  if (report === null) return;
  const over = ({ value, interval }: typeof report.auroc) =>
    `${value.toFixed(4)} [${interval.map((x) => x.toFixed(4)).join(", ")}]`;
  console.log(`  labels left out, ${report.splits} splits: AUROC ${over(report.auroc)}`);
  for (const { asked, realised } of report.false_alarms)
    console.log(`    false alarms at ${asked}: ${over(realised)}`);
  for (const { asked, share } of report.accepted)
    console.log(`    known that pass at ${asked}: ${over(share)}`);
  console.log(
    `    multi_label ECE ${over(report.multi_label.ece)}, best label ` +
      `${over(report.multi_label.ece_best_label)}`,
  );
  async function embedded(paths: readonly string[]): Promise<[Rows, number[]]> {
    const vectors: Float32Array[] = [];
    const readable: number[] = [];
    for (const [i, path] of paths.entries()) {
      const cached = embeddings.get(`${pack.space} ${path}`);
      if (cached !== undefined) {
        vectors.push(cached);
        readable.push(i);
        continue;
      }
      const options = { ...services, pack, signal: new AbortController().signal };
      try {
        const [vector] = await embedAll(modality, [readFileSync(path)], () => path, options);
        vectors.push(vector);
        if (values.cache !== undefined)
          appendFileSync(
            values.cache,
            `${pack.space} ${path}\t${Buffer.from(vector.buffer).toString("base64")}\n`,
          );
        readable.push(i);
      } catch (error) {
        console.error(`left out: ${(error as Error).message}`);
      }
    }
    return [rowsOf(vectors), readable];
  }
}

function oddsOfRows(rows: Rows, measure: (x: Float32Array) => Odds): Odds[] {
  return Array.from({ length: rowCount(rows) }, (_, i) => measure(rowAt(rows, i)));
}

/** 95 % interval of a share. Source: Wilson 1927. */
function wilson(count: number, n: number): [number, number] {
  const z = 1.96;
  const share = count / n;
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half =
    (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [centre - half, centre + half];
}
