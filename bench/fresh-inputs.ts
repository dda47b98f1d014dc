import { readFileSync } from "node:fs";
import type { Modality } from "../src/encoders/encoder.js";

export const photo = readFileSync("fixtures/images/cat.jpg");
export const sound = readFileSync("fixtures/golden/media/audio/exact_48k_mono_10s.flac");

let number = 0;
/** An input that a server has not seen. Bytes behind a file change its hash, not its contents. */
export function freshInput(modality: Modality): string {
  const mark = `${number++}`;
  if (modality === "text") return `the sound of rain on roof ${mark}`;
  const file = modality === "image" ? photo : sound;
  return Buffer.concat([file, Buffer.from(mark)]).toString("base64");
}

/** The body of a request for its embedding. */
export const embeddingRequest = (model: string, modality: Modality) => ({
  model,
  modality,
  input: freshInput(modality),
  encoding_format: "base64",
});
