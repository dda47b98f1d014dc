import { z } from "zod";

/** The version of a head that an answer was made with, or that a collection follows. */
export const HeadReference = z.object({ name: z.string(), version: z.int() });

export const Deleted = z.object({ name: z.string(), deleted: z.literal(true) });
export type Deleted = z.infer<typeof Deleted>;

/** Warnings of the decoder of a picture or sound; absent without any. */
export const Warnings = z.array(z.string()).readonly();

/**
 * Where the media of an item that is kept is read: a path below the server's address. Where API
 * keys are needed it is signed and expires after an hour.
 */
export const MediaUrl = z.string();

/** A 95 % interval. */
export const Interval = z.tuple([z.number(), z.number()]);
