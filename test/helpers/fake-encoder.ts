import type { Embedding, Encoder } from "../../src/encoders/encoder.js";

export interface FakeEncoder extends Encoder<"text"> {
  /** The batches it was asked for, in order. */
  readonly batches: readonly (readonly string[])[];
  disposed: boolean;
}

/**
 * Texts -> unit vectors in the plane: the angle is 0.1 rad per character. "bad" cannot be encoded.
 * @param delayMs  how long a batch takes.
 */
export function fakeEncoder(delayMs = 0): FakeEncoder {
  const batches: string[][] = [];
  return {
    modality: "text",
    modelId: "fake",
    space: "fake@1",
    dimensions: 2,
    batches,
    disposed: false,
    async encode(texts, signal): Promise<Embedding[]> {
      batches.push([...texts]);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      signal?.throwIfAborted();
      if (texts.includes("bad")) throw new RangeError("this text cannot be encoded");
      return texts.map((text) =>
        Float32Array.of(Math.cos(0.1 * text.length), Math.sin(0.1 * text.length)),
      );
    },
    async dispose() {
      this.disposed = true;
    },
  };
}
