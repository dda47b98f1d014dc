import type { Modality } from "../../src/encoders/encoder.js";
import type { Item, JsonObject } from "../../src/index/item.js";
import { type Random, seededRandom } from "../../src/math/random.js";
import { normalize } from "../../src/math/vector.js";

/** A random unit vector around `centre`: embeddings of real models lie in a narrow cone too. */
export function coneVector(random: Random, dimensions: number, centre = 0): Float32Array {
  return normalize(
    Float32Array.from({ length: dimensions }, (_, i) => random.normal() + (i === centre ? 2 : 0)),
  );
}

/** Items `item-0`, `item-1`, … whose modality, metadata and vectors follow from the seed alone. */
export function randomItems(count: number, dimensions: number, seed = 1): Item[] {
  const random = seededRandom(seed);
  const modalities: Modality[] = ["text", "image", "audio"];
  return Array.from({ length: count }, (_, i) => {
    const modality = modalities[random.integer(3)];
    const metadata: JsonObject = {
      n: i,
      tenth: i % 10 === 0,
      colour: ["red", "green", "blue"][random.integer(3)],
    };
    return {
      id: `item-${i}`,
      modality,
      embedding: coneVector(random, dimensions, modalities.indexOf(modality)),
      metadata,
    };
  });
}
