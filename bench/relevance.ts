/**
 * Where does `min_relevance` end a list? A collection of some labels' pictures is searched for
 * those labels and for others.
 *
 *     npx tsx bench/relevance.ts FOLDER [--model starter-clip] [--labels 100] [--each 30]
 *         [--names FILE.csv]
 *
 * FOLDER has a folder for each label, named as in bench/reject.ts. Prints, for each
 * `min_relevance`: the share of the results that are right, of the label's pictures that are found,
 * and of the queries for labels that are not there whose list is empty.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTarget } from "../src/commands/target.js";
import { loadConfig } from "../src/config.js";
import { seededRandom } from "../src/math/random.js";
import type { SearchAnswer } from "../src/wire/search.js";
import { readArguments, wrongUsage } from "./read-arguments.js";

const { values, positionals } = readArguments(import.meta.url, {
  allowPositionals: true,
  options: {
    model: { type: "string", default: "starter-clip" },
    labels: { type: "string", default: "100" },
    each: { type: "string", default: "30" },
    names: { type: "string" },
  },
});
const [folder] = positionals;
if (folder === undefined) wrongUsage(import.meta.url);

const random = seededRandom(1);
const some = <T>(list: readonly T[], count: number): T[] =>
  [...random.permutation(list.length)].slice(0, count).map((i) => list[i]);
const spelled = new Map(
  (values.names === undefined ? "" : readFileSync(values.names, "utf8"))
    .split("\n")
    .filter((line) => line.includes(","))
    .map((line) => [line.split(",")[0], line.slice(line.indexOf(",") + 1)] as const)
    .map(([id, name]) => [id, name.replaceAll('"', "").split(",")[0].trim()] as const),
);
const labels = some(readdirSync(folder), Number.POSITIVE_INFINITY);
const present = labels.slice(0, Number(values.labels));
const absent = labels.slice(present.length, present.length + 60);

const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-relevance-"));
const flags = { models: values.model, logLevel: "error", dataDir };
const target = await openTarget(loadConfig({ flags }), {});
try {
  await target.createCollection({ name: "c", model: values.model, previews: false });
  const countByLabel = new Map<string, number>();
  for (const label of present) {
    const files = some(readdirSync(join(folder, label)), Number(values.each));
    const items = files.map((file) => ({
      id: `${label}/${file}`,
      image: readFileSync(join(folder, label, file)).toString("base64"),
      metadata: { label },
    }));
    const added = await target.addItems("c", items);
    countByLabel.set(label, added.stored);
  }
  const search = (label: string) =>
    target.search("c", { text: spelled.get(label) ?? label, top_k: 1000, min_relevance: 0 });
  const found = new Map<string, SearchAnswer["results"]>();
  for (const label of [...present, ...absent]) found.set(label, (await search(label)).results);
  const mean = (list: number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
  const total = [...countByLabel.values()].reduce((sum, count) => sum + count, 0);
  console.log(
    `${values.model}: ${total} pictures of ${present.length} labels, ${absent.length} others`,
  );
  for (const least of [0.5, 0.75, 0.9, 0.95, 0.99]) {
    const kept = (label: string) =>
      found.get(label)!.filter(({ relevance }) => relevance! >= least);
    const right = (label: string) => kept(label).filter(({ metadata }) => metadata.label === label);
    const some = present.filter((label) => kept(label).length > 0);
    const precision = mean(some.map((label) => right(label).length / kept(label).length));
    const recall = mean(present.map((label) => right(label).length / countByLabel.get(label)!));
    const empty = mean(absent.map((label) => +(kept(label).length === 0)));
    const figures = {
      precision,
      recall,
      empty,
      kept_of_absent: mean(absent.map((l) => kept(l).length)),
    };
    const shown = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(3)}`);
    console.log(`  min_relevance ${least}: ${shown.join(", ")}`);
  }
} finally {
  await target.close();
  rmSync(dataDir, { recursive: true, force: true });
}
