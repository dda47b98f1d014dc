import { timed } from "../stages.js";
import type { Encoder, ModalityInput } from "./encoder.js";
import { type ImagePreprocess, imageSide } from "./manifest.js";
import type { MediaTensors } from "./preprocess/media-tensors.js";
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
      const size = 3 * side * side;
      const pixels = new Float32Array(images.length * size);
      const fill = (image: ModalityInput["image"], i: number) => {
        const into = pixels.subarray(i * size, (i + 1) * size);
        return media.imageTensor(image, preprocess, { signal, into });
      };
      await timed("preprocess", () => Promise.all(images.map(fill)));
      signal?.throwIfAborted();
      const dims = [images.length, 3, side, side];
      return runTower(tower, { [input]: { type: "float32", dims, data: pixels } }, images.length);
    },
    dispose: () => tower.session.close(),
  };
}
