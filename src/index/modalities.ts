import type { Modality } from "../encoders/encoder.js";

/** The modalities in the order in which databases number them. Only ever append. */
export const modalities = ["text", "image", "audio"] as const satisfies Modality[];
