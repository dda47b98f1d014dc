import { timed } from "../stages.js";
import type { Encoder } from "./encoder.js";
import { type ImagePreprocess, imageSide } from "./manifest.js";
import type { MediaTensors } from "./preprocess/media-tensors.js";
import { pixelTables } from "./preprocess/normalize-pixels.js";
import { runTower, type Tower } from "./tower.js";

/**
 * Pictures -> embeddings: each is resized, cropped and normalised as the manifest says, then all
 * run as one batch.
 */
export function imageEncoder(
  tower: Tower,
  preprocess: ImagePreprocess,
  media: MediaTensors,
): Encoder<"image"> {
  const side = imageSide(preprocess);
  const input = tower.session.info.inputs[0].name;
  return {
    modality: "image",
    modelId: tower.modelId,
    space: tower.space,
    dimensions: tower.dimensions,
    async encode(images, signal) {
      const rows = await timed("preprocess", () =>
        Promise.all(images.map((image) => media.imagePixels(image, preprocess, { signal }))),
      );
      signal?.throwIfAborted();
      const dims = [images.length, 3, side, side];
      const tables = pixelTables(preprocess);
      return runTower(tower, { [input]: { type: "pictures", dims, rows, tables } }, dims[0]);
    },
    dispose: () => tower.session.close(),
  };
}
