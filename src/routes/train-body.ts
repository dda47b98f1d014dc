import { z } from "zod";
import { headKinds } from "../heads/head-version.js";
import { lossNames } from "../training/losses/loss.js";
import { Media } from "./read-request.js";
import { RowsField } from "./read-rows.js";

const modality = z.enum(["text", "image", "audio"]);
const Labels = z.array(z.union([z.string().min(1), z.number()]).transform(String)).min(1);
export const EntryField = z.strictObject({
  image: Media.optional(),
  audio: Media.optional(),
  text: z.string().min(1).optional(),
  label: z
    .union([z.string().min(1), z.number()])
    .transform(String)
    .optional(),
});
const CollectionField = z.strictObject({ collection: z.string().min(1), by: z.string().min(1) });
const SideHead = z.union([
  z.enum(["locked", "linear", "mlp", "residual"]),
  z.strictObject({
    kind: z.enum(["linear", "mlp", "residual"]),
    hidden: z.int().min(1).max(16_384).optional(),
    ratio: z.number().min(0).max(1).optional(),
  }),
]);
const sideHeads = {
  a: SideHead.optional(),
  b: SideHead.optional(),
  text: SideHead.optional(),
  image: SideHead.optional(),
  audio: SideHead.optional(),
};
/** `linear` or `{"image": "locked"}` as a form field spells it. */
const fromForm = (value: unknown) => {
  if (typeof value !== "string" || !value.trimStart().startsWith("{")) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};
const positions = z.array(z.int().nonnegative());

/** The body of `POST /v1/heads`. Bounds of the options are those of `checkOptions`. */
export const TrainBody = z.strictObject({
  model: z.string().min(1).optional(),
  name: z.string().min(1).optional(),
  kind: z.enum(headKinds).default("projection"),
  pairs: z
    .union([
      z.array(EntryField).min(1),
      CollectionField,
      z.strictObject({
        embeddings: z.strictObject({
          a: RowsField,
          b: RowsField,
          a_modality: modality.optional(),
          b_modality: modality.optional(),
        }),
      }),
    ])
    .optional(),
  items: z
    .union([
      z.array(EntryField).min(1),
      CollectionField,
      z.strictObject({ embeddings: RowsField, modality: modality.optional() }),
    ])
    .optional(),
  a: RowsField.optional(),
  b: RowsField.optional(),
  a_modality: modality.optional(),
  b_modality: modality.optional(),
  labels: Labels.optional(),
  head: z.preprocess(fromForm, z.union([SideHead, z.strictObject(sideHeads)])).optional(),
  loss: z.enum(lossNames).optional(),
  epochs: z.number().optional(),
  batch_size: z.number().optional(),
  learning_rate: z.number().optional(),
  weight_decay: z.number().optional(),
  decay_towards: z.enum(["zero", "start"]).optional(),
  warmup: z.number().optional(),
  patience: z.number().optional(),
  mixup: z.number().optional(),
  logit_scale: z.number().optional(),
  learn_logits: z.boolean().optional(),
  validation_share: z.number().optional(),
  test_share: z.number().optional(),
  seed: z.number().optional(),
  split: z.strictObject({ train: positions, validation: positions, test: positions }).optional(),
  third: RowsField.optional(),
  features: RowsField.optional(),
  probe: z.strictObject({ a: RowsField, b: RowsField, labels: Labels.optional() }).optional(),
  probe_a: RowsField.optional(),
  probe_b: RowsField.optional(),
  probe_labels: Labels.optional(),
  screen: z
    .union([
      z.boolean(),
      z.strictObject({
        exclude: z.boolean().optional(),
        mismatch_z: z.number().positive().optional(),
        neighbors: z.int().min(2).max(1000).optional(),
        isolation: z.number().positive().optional(),
        repeats: z.int().min(2).optional(),
        duplicate_cosine: z.number().min(-1).max(1).optional(),
        different_cosine: z.number().min(-1).max(1).optional(),
      }),
    ])
    .optional(),
  /** Of the linear probe: weight of |W|^2 / 2 beside the cross-entropy. */
  l2: z.number().positive().max(100).optional(),
  activate: z.enum(["never", "if_improved"]).optional(),
});
export type TrainBody = z.infer<typeof TrainBody>;

/** Fields that a form writes as JSON. */
export const trainJsonFields = Object.keys(TrainBody.shape).filter(
  (name) =>
    ![
      "model",
      "name",
      "kind",
      "a_modality",
      "b_modality",
      "head",
      "loss",
      "decay_towards",
      "activate",
      "third",
      "features",
      "probe_a",
      "probe_b",
    ].includes(name),
);
