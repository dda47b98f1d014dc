import { z } from "zod";

/**
 * A pack's description, `models/<id>/manifest.json`: everything that decides the numbers a model
 * gives. Preprocessing is data read from here, not code per model.
 */

/**
 * One file of a pack. Paths are relative to the manifest; `../starter-text/trunk.onnx` is how packs
 * share a file.
 */
export const PackFile = z.strictObject({
  path: z.string().min(1),
  /** Bytes. */
  size: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type PackFile = z.infer<typeof PackFile>;

/** An ONNX graph, and the files that hold its weights when they are not inside it. */
export const GraphFile = PackFile.extend({ data: z.array(PackFile).min(1).optional() });
export type GraphFile = z.infer<typeof GraphFile>;

export const DataType = z.enum(["fp32", "fp16", "int8", "q4"]);
export type DataType = z.infer<typeof DataType>;

/**
 * Largest side of a picture that a tower may take: twice that of any public model of the families
 * here.
 */
export const maxImageSide = 1024;

/**
 * How the pixels of one picture become the image tower's input [3, H, W]. `resize` or `crop` may be
 * left out, not both.
 */
export const ImagePreprocess = z
  .strictObject({
    resize: z
      .strictObject({
        /**
         * `shortest_edge`: the short side becomes `size`, the long side floor(size * long / short).
         * `squash`: both sides become `size`.
         */
        mode: z.enum(["shortest_edge", "squash"]),
        size: z.int().positive().max(maxImageSide),
        resample: z.enum(["bilinear", "bicubic", "lanczos", "box", "hamming"]),
        /** `fast`: by libvips, a unit or two of 255 away from Pillow. Left out, it is exact. */
        method: z.enum(["fast"]).optional(),
      })
      .optional(),
    /** Side of the centre crop; pictures smaller than it are padded with zeros. */
    crop: z.int().positive().max(maxImageSide).optional(),
    rescale: z.number().positive(),
    mean: z.array(z.number()).length(3),
    std: z.array(z.number().positive()).length(3),
  })
  .refine(({ resize, crop }) => resize !== undefined || crop !== undefined, {
    error: "Expected resize, crop or both",
  });
export type ImagePreprocess = z.infer<typeof ImagePreprocess>;

/** Side of the square picture that the tower takes. */
export const imageSide = ({ crop, resize }: ImagePreprocess): number => crop ?? resize!.size;

/** Longest window that a tower may hear at once, in samples: a minute at 48 kHz. */
export const maxWindowSamples = 60 * 48_000;
export const maxMelBands = 512;

/** How the samples of one sound become the audio tower's input. */
export const AudioPreprocess = z.strictObject({
  sampleRateHz: z.int().positive(),
  /**
   * Length of the tower's window, and the step between windows of longer sounds.
   */
  windowSeconds: z.number().positive(),
  hopSeconds: z.number().positive(),
  /**
   * How a shorter sound fills the window. `repeatpad`: floor(window / length) whole copies, then
   * zeros (CLAP). `repeat`: copies to the end, the last one cut. `pad`: zeros.
   */
  padding: z.enum(["repeatpad", "repeat", "pad"]),
  /**
   * What becomes of a longer sound. `windows`: each window is embedded and the mean renormalised.
   * `fusion`: CLAP's four-channel stack.
   */
  longer: z.enum(["windows", "fusion"]).default("windows"),
  /** y[t] = x[t+1] - preEmphasis * x[t]; 0 leaves the samples as they are. */
  preEmphasis: z.number().min(0).max(1).default(0),
  fftSize: z.int().positive(),
  /** Length of the Hann window, centred in the FFT frame. */
  windowLength: z.int().positive(),
  periodicWindow: z.boolean(),
  /** Samples between frames; frames are centred, the edges reflected. */
  hopLength: z.int().positive(),
  mel: z.strictObject({
    scale: z.enum(["slaney", "htk", "kaldi"]),
    /** `slaney`: triangles of equal area. null: triangles of peak 1. */
    norm: z.enum(["slaney"]).nullable(),
    count: z.int().positive().max(maxMelBands),
    minHz: z.number().min(0),
    maxHz: z.number().positive(),
  }),
  /** `db`: 10 log10(max(power, floor)). `ln`: ln(power + offset). */
  log: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("db"), floor: z.number().positive() }),
    z.strictObject({ kind: z.literal("ln"), offset: z.number().positive() }),
  ]),
  /** The tower's input is (log-mel + shift) / divide. */
  shift: z.number().default(0),
  divide: z.number().positive().default(1),
  /** Order of the input's last two axes. */
  layout: z.enum(["frames-mels", "mels-frames"]),
});
export type AudioPreprocess = z.infer<typeof AudioPreprocess>;

/** Longest text context, in tokens. */
const maxContextLength = 8192;

/** How a string becomes token ids, in addition to tokenizer.json. */
export const TextPreprocess = z.strictObject({
  tokenizer: PackFile,
  /** Most tokens a text may have, special tokens included; the end token survives truncation. */
  contextLength: z.int().positive().max(maxContextLength),
  /**
   * `longest`: up to the longest text of a batch, for pooling that ignores padding. `masked`: the
   * same, with an attention mask for the graph; a graph without that input sees texts of one length
   * at a time, unpadded. `max`: always contextLength.
   */
  padding: z.enum(["longest", "masked", "max"]),
  padTokenId: z.int().nonnegative(),
  /**
   * Normalisation before the tokenizer. `siglip`: lower case, ASCII punctuation
   * removed, white space collapsed. `lower`: lower case. `whitespace`: collapsed and trimmed.
   */
  canonicalize: z.enum(["none", "siglip", "lower", "whitespace"]).default("none"),
});
export type TextPreprocess = z.infer<typeof TextPreprocess>;

const tower = {
  /** The ONNX graph by data type of its weights. */
  files: z.partialRecord(DataType, GraphFile),
  /** Names of the graph's output that holds the embedding, in order of preference. */
  outputs: z.array(z.string()).min(1),
  /** A linear head applied to the graph's output (see head.ts). */
  head: PackFile.optional(),
};

export const Manifest = z.strictObject({
  manifestVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  /** For people; what follows from the family is spelled out in the other fields. */
  family: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  revision: z.string().min(1),
  /** Where the weights come from: a hub repository (`owner/name`) or a sentence. */
  source: z.string().min(1),
  license: z.string().min(1),
  dimensions: z.int().positive().max(16_384),
  /**
   * Lengths to which embeddings may be cut, of models trained for it (Matryoshka): a list, or all
   * from `min` on. Left out: none.
   */
  shorterDimensions: z
    .union([z.array(z.int().positive()).min(1), z.strictObject({ min: z.int().positive() })])
    .optional(),
  /** The multiplier of the cosine itself, about 100 in CLIP; not its logarithm. */
  logitScale: z.number().positive(),
  logitBias: z.number().default(0),
  activation: z.enum(["softmax", "sigmoid"]),
  /** Default prompt templates by the modality that is classified; each has one `{}`. */
  promptTemplates: z
    .partialRecord(z.enum(["text", "image", "audio"]), z.array(z.string()).min(1))
    .default({}),
  towers: z.strictObject({
    text: z.strictObject({ ...tower, preprocess: TextPreprocess }).optional(),
    image: z.strictObject({ ...tower, preprocess: ImagePreprocess }).optional(),
    audio: z.strictObject({ ...tower, preprocess: AudioPreprocess }).optional(),
  }),
});
export type Manifest = z.infer<typeof Manifest>;

/** The modalities in the order they are listed, loaded and warmed up. */
export const modalities = ["text", "image", "audio"] as const;
