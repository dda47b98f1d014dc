import { clap } from "./clap.js";
import { clip } from "./clip.js";
import type { Family } from "./family.js";
import { siglip } from "./siglip.js";

/** Families by the `model_type` of config.json. */
export const families: Record<string, Family> = { clip, siglip, siglip2: siglip, clap };
