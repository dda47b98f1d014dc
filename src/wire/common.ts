import { z } from "zod";

/** The version of a head that an answer was made with, or that a collection follows. */
export const HeadReference = z.object({ name: z.string(), version: z.int() });

export const Deleted = z.object({ name: z.string(), deleted: z.literal(true) });
export type Deleted = z.infer<typeof Deleted>;

/** Warnings of the decoder of a picture or sound; absent without any. */
export const Warnings = z.array(z.string()).readonly();

/** A 95 % interval. */
export const Interval = z.tuple([z.number(), z.number()]);
