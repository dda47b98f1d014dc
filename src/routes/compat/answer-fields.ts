import { z } from "zod";

/** Parts of answers that several products share. */

export const Vector = z.array(z.number());
export const Vectors = z.array(Vector);
export const Scores = z.array(z.object({ label: z.string(), score: z.number() }));
/** An embedding in any of the output types. */
export const AnyVector = z.union([Vector, z.string()]);
