import { z } from "zod";
import { bridgeMethods } from "../training/bridge-options.js";
import { Interval } from "./common.js";
import { listOf, optional, withDefault } from "./field-types.js";

export const BridgeBody = z.strictObject({
  from: z.string().min(1),
  to: z.string().min(1),
  method: withDefault(z.enum(bridgeMethods), "ridge"),
  name: optional(z.string()),
  texts: optional(listOf(z.string().min(1), { min: 16, max: 100_000 })),
  from_collection: optional(z.string().min(1)),
  to_collection: optional(z.string().min(1)),
  label_by: optional(z.string().min(1)),
  seed: optional(z.int().min(0).max(0xffffffff)),
  epochs: optional(z.int().min(1).max(10_000)),
  /** `if_improved`: when it is better than the bridge in use on held-out texts. */
  activate: withDefault(z.enum(["never", "if_improved", "always"]), "if_improved"),
});
export type BridgeBody = z.infer<typeof BridgeBody>;
export const BridgeActivation = z.strictObject({ version: z.int().positive() });

export const BridgeAnswer = z.object({
  name: z.string(),
  version: z.int().nullable(),
  from_space: z.string().nullable(),
  to_space: z.string().nullable(),
  /** Whether searches use it. */
  active: z.boolean(),
  /** Why the active version is unknown. */
  error: z.string().optional(),
  versions: z.array(
    z.object({
      version: z.int(),
      active: z.boolean(),
      /** Whether it is shipped. */
      shipped: z.boolean(),
      from_space: z.string().nullable(),
      to_space: z.string().nullable(),
      method: z.string().nullable(),
      /** Why it cannot be used. */
      unusable: z.string().nullable(),
      report: z.unknown(),
    }),
  ),
});
export type BridgeAnswer = z.infer<typeof BridgeAnswer>;

export const BridgeList = z.object({ data: z.array(BridgeAnswer) });
export type BridgeList = z.infer<typeof BridgeList>;

const RecallAt = z.object({ recall: z.number(), interval: Interval, chance: z.number() });
export const CrossRecall = z.object({ at_1: RecallAt, at_5: RecallAt, at_10: RecallAt });
export type CrossRecall = z.infer<typeof CrossRecall>;

/** The `result` of a job that created a bridge. */
export const BridgeResult = z.object({
  bridge: z.string(),
  version: z.int(),
  from_space: z.string(),
  to_space: z.string(),
  method: z.string(),
  activated: z.boolean(),
  /** By mean reciprocal rank of held-out texts, of the bridge in use (or chance) and this one. */
  verdict: z.object({
    improved: z.boolean(),
    reason: z.string(),
    texts: z.int(),
    before: z.number(),
    after: z.number(),
    change: z.number(),
    interval: Interval,
  }),
  /** By search method, including `bridge`; if the collections have labels. */
  recall: z.record(z.string(), CrossRecall).optional(),
});
export type BridgeResult = z.infer<typeof BridgeResult>;
