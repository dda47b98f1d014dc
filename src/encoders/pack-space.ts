import { AppError } from "../errors.js";
import { chooseFiles, spaceOf } from "./choose-files.js";
import type { Modality } from "./encoder.js";
import type { LoadOptions } from "./load-options.js";
import type { Manifest } from "./manifest.js";
import { readManifest } from "./read-manifest.js";

/** The space and size of a pack's embeddings, as its loaded towers would report. */
export interface PackSpace {
  id: string;
  space: string;
  dimensions: number;
  modalities: Modality[];
}

/** A pack's space without loading it. @throws AppError as `PackLoader.load`. */
export async function readPackSpace(
  manifestPath: string,
  options: Pick<LoadOptions, "dtype" | "resize" | "hopSeconds">,
): Promise<PackSpace> {
  const manifest = withOptions(await readManifest(manifestPath), options);
  const chosen = chooseFiles(manifest, options.dtype);
  const { id, dimensions } = manifest;
  const modalities = chosen.map(([modality]) => modality);
  return { id, dimensions, space: spaceOf(manifest, chosen), modalities };
}

/** The manifest as the options change it. What they change is part of the space. */
export function withOptions(
  manifest: Manifest,
  { resize, hopSeconds }: Pick<LoadOptions, "resize" | "hopSeconds">,
): Manifest {
  const { image, audio } = manifest.towers;
  const towers = { ...manifest.towers };
  if (image?.preprocess.resize !== undefined && resize === "fast") {
    const preprocess = {
      ...image.preprocess,
      resize: { ...image.preprocess.resize, method: "fast" as const },
    };
    towers.image = { ...image, preprocess };
  }
  if (audio !== undefined && audio.preprocess.longer === "windows" && hopSeconds !== undefined) {
    const { windowSeconds } = audio.preprocess;
    if (hopSeconds > windowSeconds) {
      const message =
        `hopSeconds is ${hopSeconds}, but "${manifest.id}" takes ${windowSeconds} seconds ` +
        "at once: the sound in between would be skipped";
      throw new AppError("invalid_input", message, { param: "hopSeconds" });
    }
    towers.audio = { ...audio, preprocess: { ...audio.preprocess, hopSeconds } };
  }
  return { ...manifest, towers };
}
