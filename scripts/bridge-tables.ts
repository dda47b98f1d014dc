/**
 * The two tables that the default bridge is built from, out of the starter recipes' own data
 * (models/starter/README.md):
 *
 *   npx tsx scripts/bridge-tables.ts DATA OUT      -> OUT/sounds.csv, OUT/pictures.csv, OUT/photos/
 *
 * Measured sounds are those that the sound tower's recipe never hears and whose label has pictures
 * in Caltech-101; the memory is of other sounds. Of each name in Caltech-101 six pictures are
 * measured and six are memory. Nothing is drawn by chance.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [data, out] = process.argv.slice(2);
if (data === undefined || out === undefined) {
  console.error("usage: npx tsx scripts/bridge-tables.ts DATA OUT");
  process.exit(2);
}

/** A sound's label -> the name that pictures of the same thing get. */
const soundNames: Record<string, string> = {
  "dog bark": "dog",
  dog: "dog",
  rooster: "chicken",
  hen: "chicken",
  helicopter: "helicopter",
  "clock tick": "clock",
  cat: "cat",
  elephant: "elephant",
  lion: "big cat",
  bear: "bear",
};
/** A folder of Caltech-101 -> its pictures' name, where that is not the folder's own. */
const pictureNames: Record<string, string> = {
  dalmatian: "dog",
  rooster: "chicken",
  panda: "bear",
  watch: "clock",
  wild_cat: "cat",
  Leopards: "big cat",
  cougar_body: "big cat",
  cougar_face: "big cat",
};
const leftOut = new Set(["BACKGROUND_Google", "Faces_easy"]);
const perName = 6;
/** Every so many of the unlabelled sounds. */
const soundMemoryEvery = 6;

interface Splits {
  held_out_sources: string[];
  held_out_esc10_fold: string;
  sets: Record<string, { labels: string[]; files: Record<string, number> }>;
}
const splits = JSON.parse(
  readFileSync(new URL("../models/starter/audio/splits.json", import.meta.url), "utf8"),
) as Splits;

const heldOut = Object.values(splits.sets).flatMap(({ labels, files }) =>
  Object.entries(files).map(([file, place]) => [file, labels[place]] as const),
);
const measuredSounds = heldOut
  .filter(([, label]) => label in soundNames)
  .map(([file, label]) => [resolve(data, file), soundNames[label]] as const);
const heldOutFiles = new Set(heldOut.map(([file]) => file));
const otherSounds = [
  "esc10/audio",
  "moodist_sounds/audio",
  ...readdirSync(join(data, "sounds_open/audio")).map((name) => `sounds_open/audio/${name}`),
]
  .filter((folder) => !splits.held_out_sources.includes(folder.split("/").pop() as string))
  .flatMap((folder) => readdirSync(join(data, folder)).map((file) => `${folder}/${file}`))
  .filter((file) => !heldOutFiles.has(file))
  .sort()
  .filter((_, i) => i % soundMemoryEvery === 0)
  .map((file) => [resolve(data, file), ""] as const);

const photos = join(out, "photos");
mkdirSync(photos, { recursive: true });
execFileSync("tar", ["-xf", join(data, "photos/caltech101-train.tar"), "-C", photos]);
const pictures = readdirSync(photos)
  .filter((folder) => !leftOut.has(folder))
  .sort()
  .flatMap((folder) => {
    const name = pictureNames[folder] ?? folder.replaceAll("_", " ").toLowerCase();
    const files = readdirSync(join(photos, folder)).sort();
    return files
      .slice(0, 2 * perName)
      .map((file, i) => [resolve(photos, folder, file), i < perName ? name : ""] as const);
  });

const write = (name: string, rows: readonly (readonly [string, string])[]) => {
  writeFileSync(join(out, name), `${rows.map((row) => row.join(",")).join("\n")}\n`);
  const measured = rows.filter(([, label]) => label !== "");
  const labels = new Set(measured.map(([, label]) => label)).size;
  console.log(
    `${name}: ${measured.length} measured (${labels} labels), ` +
      `${rows.length - measured.length} memory`,
  );
};
const drawn = new Set(pictures.map(([, label]) => label));
write("sounds.csv", [...measuredSounds.filter(([, label]) => drawn.has(label)), ...otherSounds]);
write("pictures.csv", pictures);
