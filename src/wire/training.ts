import { z } from "zod";
import { headKinds } from "../heads/head-version.js";
import { parseJson } from "../json/parse-json.js";
import { lossNames } from "../training/losses/loss.js";
import { listOf, Media, Modality, optional, withDefault } from "./field-types.js";
import { RowsField } from "./rows.js";

const Labels = listOf(z.union([z.string().min(1), z.number()]).transform(String), {
  min: 1,
  max: 100_000,
});
export const EntryField = z.strictObject({
  /** What reports call it, a file's name say. */
  id: optional(z.string().min(1).max(512)),
  image: optional(Media),
  audio: optional(Media),
  text: optional(z.string().min(1)),
  label: optional(z.union([z.string().min(1), z.number()]).transform(String)),
});
const CollectionField = z.strictObject({ collection: z.string().min(1), by: z.string().min(1) });
const SideHead = z.union([
  z.enum(["locked", "linear", "mlp", "residual"]),
  z.strictObject({
    kind: z.enum(["linear", "mlp", "residual"]),
    hidden: optional(z.int().min(1).max(16_384)),
    ratio: optional(z.number().min(0).max(1)),
  }),
]);
const sideHeads = {
  a: optional(SideHead),
  b: optional(SideHead),
  text: optional(SideHead),
  image: optional(SideHead),
  audio: optional(SideHead),
};
/** `linear` or `{"image": "locked"}` as a form field spells it. */
const fromForm = (value: unknown) =>
  typeof value === "string" && value.trimStart().startsWith("{") && value.length < 10_000
    ? parseJson(value, "head")
    : value;
const positions = listOf(z.int().nonnegative(), { max: 100_000 });

/** The body of `POST /v1/heads`. Bounds of the options are those of `checkOptions`. */
export const TrainBody = z.strictObject({
  model: optional(z.string().min(1)),
  name: optional(z.string().min(1)),
  kind: withDefault(z.enum(headKinds), "projection"),
  pairs: optional(
    z.union([
      listOf(EntryField, { min: 1, max: 100_000 }),
      CollectionField,
      z.strictObject({
        embeddings: z.strictObject({
          a: RowsField,
          b: RowsField,
          a_modality: optional(Modality),
          b_modality: optional(Modality),
        }),
      }),
    ]),
  ),
  items: optional(
    z.union([
      listOf(EntryField, { min: 1, max: 100_000 }),
      CollectionField,
      z.strictObject({ embeddings: RowsField, modality: optional(Modality) }),
    ]),
  ),
  a: optional(RowsField),
  b: optional(RowsField),
  a_modality: optional(Modality),
  b_modality: optional(Modality),
  labels: optional(Labels),
  /** Of the items of a probe or cache: those of one group stay together when it is measured. */
  groups: optional(Labels),
  head: optional(z.preprocess(fromForm, z.union([SideHead, z.strictObject(sideHeads)]))),
  loss: optional(z.enum(lossNames)),
  epochs: optional(z.number()),
  batch_size: optional(z.number()),
  learning_rate: optional(z.number()),
  weight_decay: optional(z.number()),
  decay_towards: optional(z.enum(["zero", "start"])),
  warmup: optional(z.number()),
  patience: optional(z.number()),
  mixup: optional(z.number()),
  logit_scale: optional(z.number()),
  learn_logits: optional(z.boolean()),
  validation_share: optional(z.number()),
  test_share: optional(z.number()),
  seed: optional(z.number()),
  split: optional(z.strictObject({ train: positions, validation: positions, test: positions })),
  third: optional(RowsField),
  features: optional(RowsField),
  probe: optional(z.strictObject({ a: RowsField, b: RowsField, labels: optional(Labels) })),
  probe_a: optional(RowsField),
  probe_b: optional(RowsField),
  probe_labels: optional(Labels),
  screen: optional(
    z.union([
      z.boolean(),
      z.strictObject({
        exclude: optional(z.boolean()),
        mismatch_z: optional(z.number().positive()),
        neighbors: optional(z.int().min(2).max(1000)),
        isolation: optional(z.number().positive()),
        repeats: optional(z.int().min(2)),
        duplicate_cosine: optional(z.number().min(-1).max(1)),
        different_cosine: optional(z.number().min(-1).max(1)),
      }),
    ]),
  ),
  /** Of the linear probe: weight of |W|^2 / 2 beside the cross-entropy. */
  l2: optional(z.number().positive().max(100)),
  activate: optional(z.enum(["never", "if_improved"])),
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
