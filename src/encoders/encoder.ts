/** A vector in some embedding space. Unit length (L2) once an encoder has returned it. */
export type Embedding = Float32Array;

export type Modality = "text" | "image" | "audio";

/** An RGB picture in memory. `rgb` is [height, width, 3]. */
export interface DecodedImage {
  width: number;
  height: number;
  rgb: Uint8Array;
  /** sha256 of the file it came from: equal hashes mean equal pictures. */
  contentHash?: string;
  /** Damaged, repaired or skipped parts, a sentence each; absent when the file is intact. */
  warnings?: readonly string[];
}

/** A mono sound in memory. `samples` are in [-1, 1]. */
export interface DecodedAudio {
  sampleRateHz: number;
  samples: Float32Array;
  /** sha256 of the file it came from: equal hashes mean equal sounds. */
  contentHash?: string;
  /** Damaged, repaired or skipped parts, a sentence each; absent when the file is intact. */
  warnings?: readonly string[];
}

/**
 * Media whose pixels or samples are held by the process that decoded them
 * (src/media/decoding-pool.ts).
 */
interface Held {
  /** sha256 of the file it came from: equal hashes mean equal media. */
  readonly contentHash: string;
  /** Memory that the pixels or samples take. */
  readonly decodedBytes: number;
  /**
   * Frees that memory. Media that is not released is freed some time after it becomes unreachable.
   */
  dispose(): void;
  /** Damaged, repaired or skipped parts, a sentence each; absent when the file is intact. */
  readonly warnings?: readonly string[];
}

export interface HeldImage extends Held {
  readonly width: number;
  readonly height: number;
}

export interface HeldAudio extends Held {
  readonly sampleRateHz: number;
  readonly seconds: number;
}

/** What an encoder takes, already decoded: never a URL, a path or base64. */
export interface ModalityInput {
  text: string;
  image: HeldImage | DecodedImage;
  audio: HeldAudio | DecodedAudio;
}

/** Turns inputs of one modality into embeddings. */
export interface Encoder<M extends Modality = Modality> {
  readonly modality: M;
  readonly modelId: string;
  /** Embeddings may be compared only when their spaces are the same string. */
  readonly space: string;
  readonly dimensions: number;

  /**
   * @param inputs  N decoded inputs, N >= 1.
   * @returns N unit-length embeddings of `dimensions` numbers, in input order.
   */
  encode(inputs: readonly ModalityInput[M][], signal?: AbortSignal): Promise<Embedding[]>;
  /** How many of the inputs must be run; the others are cached. */
  missing?(inputs: readonly ModalityInput[M][]): number;
  dispose(): Promise<void>;
}
