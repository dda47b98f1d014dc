import type { Modality } from "../encoders/encoder.js";

/** The modalities in the order of their numbers in databases. Append only. */
export const modalities = ["text", "image", "audio"] as const satisfies Modality[];
