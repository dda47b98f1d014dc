import type { Encoder } from "../../src/encoders/encoder.js";
import type { LoadedPack } from "../../src/encoders/load.js";
import { seededRandom } from "../../src/math/random.js";
import { normalize } from "../../src/math/vector.js";

/** Unit vectors by the text's characters; every text that begins with "=" has the same one. */
export function fakeEmbedding(text: string, dimensions: number): Float32Array {
  let seed = 17;
  for (const letter of text.startsWith("=") ? "=" : text)
    seed = Math.imul(seed ^ letter.charCodeAt(0), 0x01000193);
  const random = seededRandom(seed >>> 0);
  return normalize(Array.from({ length: dimensions }, () => random.normal()));
}

/** A pack of texts and pictures whose text tower is `fakeEmbedding`; it sees no picture. */
export function fakePack(id: string, dimensions: number): LoadedPack {
  const shared = { modelId: id, space: `${id}@1`, dimensions, dispose: async () => {} };
  const text: Encoder<"text"> = {
    ...shared,
    modality: "text",
    encode: async (texts) => texts.map((one) => fakeEmbedding(one, dimensions)),
  };
  const image: Encoder<"image"> = {
    ...shared,
    modality: "image",
    encode: async (images) => images.map((_, i) => fakeEmbedding(`image ${i}`, dimensions)),
  };
  const manifest = {
    id,
    dimensions,
    logitScale: 20,
    logitBias: 0,
    activation: "softmax",
    promptTemplates: { image: ["a photo of a {}"], text: ["{}"] },
  } as unknown as LoadedPack["manifest"];
  const towers = (["text", "image"] as const).map(
    (modality) => ({ modality, bytes: 0, isAwake: () => true }) as never,
  );
  const none = { isPinned: () => false, troubles: () => [], dispose: async () => {} };
  return { manifest, loadedAt: 0, space: `${id}@1`, encoders: { text, image }, towers, ...none };
}
