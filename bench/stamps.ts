/**
 * The starter packs on a source that neither has seen: the photographs and sounds of Tux Paint's
 * stamps (Debian's tuxpaint-stamps-default; nothing of it is in the repository).
 *
 *     apt-get download tuxpaint-stamps-default && dpkg-deb -x tuxpaint-stamps-default_*.deb stamps
 *     npx tsx bench/stamps.ts FOLDER [--url http://127.0.0.1:8080]      FOLDER:
 *         stamps/usr/share/tuxpaint/stamps
 *
 * Recall at 1, 5 and 10 of the sentence in a picture, the picture in a sentence, the picture at 32
 * x 32 pixels, and the sound in a sentence, each among all stamps that have both, and the median
 * rank. Symbols, flags, road signs and cartoons are left out: the names of the first three are not
 * what one sees, and cartoons may be among the drawings of the training set.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import sharp from "sharp";
import { openTarget } from "../src/commands/target.js";
import { loadConfig } from "../src/config.js";
import type { Modality } from "../src/encoders/encoder.js";
import { readArguments, wrongUsage } from "./read-arguments.js";

const { values, positionals } = readArguments(import.meta.url, {
  allowPositionals: true,
  options: { url: { type: "string" } },
});
const [folder] = positionals;
if (folder === undefined) wrongUsage(import.meta.url);

interface Stamp {
  picture: string;
  name: string;
  sound: string | undefined;
}

const target = await openTarget(loadConfig({ flags: { logLevel: "error" } }), { url: values.url });
try {
  const stamps = readStamps(folder);
  const sentences = stamps.map(({ name }) => `a photo of a ${name}.`);
  const texts = await embed("starter-clip", "text", sentences);
  const images = await embed(
    "starter-clip",
    "image",
    await Promise.all(stamps.map(({ picture }) => onWhite(picture))),
  );
  report("sentence -> picture", texts, images);
  report("picture -> sentence", images, texts);
  const small = await Promise.all(stamps.map(({ picture }) => onWhite(picture, 32)));
  report("sentence -> picture, 32 px", texts, await embed("starter-clip", "image", small));
  const heard = stamps.filter(({ sound }) => sound !== undefined);
  const clips = heard.map(({ sound }) => readFileSync(sound as string).toString("base64"));
  const sounds = await embed("starter-clap", "audio", clips);
  const recordings = heard.map(({ name }) => `a recording of ${name}`);
  report("sound -> sentence", sounds, await embed("starter-clap", "text", recordings));
} finally {
  await target.close();
}

/** Stamps with a name of at most five words; the first of those that share a name. */
function readStamps(root: string): Stamp[] {
  const found = new Map<string, Stamp>();
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).sort();
  for (const picture of files
    .filter((file) => file.endsWith(".png"))
    .map((file) => join(root, file))) {
    if (/^symbols|cartoon|flags|roadsigns|_(mask|off|on)/.test(relative(root, picture))) continue;
    const text = picture.replace(/\.png$/, ".txt");
    if (!existsSync(text)) continue;
    const [title] = readFileSync(text, "utf8").split("\n");
    const name = title
      .trim()
      .replace(/\.$/, "")
      .replace(/^(A|An|The|Some) /i, "")
      .toLowerCase();
    if (name === "" || name.split(" ").length > 5 || found.has(name)) continue;
    const sound = [".ogg", ".wav"]
      .map((ending) => picture.replace(/\.png$/, ending))
      .find((file) => existsSync(file));
    found.set(name, { picture, name, sound });
  }
  return [...found.values()];
}

/**
 * A stamp is cut out; what is around it becomes white. With `side`, shrunk to fit a square of that
 * many pixels.
 */
async function onWhite(path: string, side?: number): Promise<string> {
  const flat = await sharp(path).flatten({ background: "#fff" }).png().toBuffer();
  const picture =
    side === undefined
      ? flat
      : await sharp(flat)
          .resize(side, side, { fit: "contain", background: "#fff" })
          .png()
          .toBuffer();
  return picture.toString("base64");
}

async function embed(
  model: string,
  modality: Modality,
  input: readonly string[],
): Promise<number[][]> {
  const embeddings: number[][] = [];
  for (let start = 0; start < input.length; start += 32) {
    const some = input.slice(start, start + 32);
    const { data } = await target.embeddings({ model, modality, input: some });
    embeddings.push(...data.map(({ embedding }) => embedding as number[]));
  }
  return embeddings;
}

function report(title: string, queries: number[][], items: number[][]): void {
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const ranks = queries.map(
    (query, own) => items.filter((item) => dot(query, item) > dot(query, items[own])).length + 1,
  );
  const recall = [1, 5, 10].map((k) =>
    ((100 * ranks.filter((rank) => rank <= k).length) / ranks.length).toFixed(1),
  );
  const median = ranks.sort((a, b) => a - b)[ranks.length >> 1];
  console.log(
    `${title.padEnd(28)} R@1/5/10 ${recall.join(" / ")}  median rank ${median} of ${items.length}`,
  );
}
