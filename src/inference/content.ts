import type { Cost } from "../media/budget.js";
import type { ReadBytes } from "../media/with-decoded.js";

/** One input of a request: a text, or a file that is read when its turn comes. */
export type Content = TextContent | MediaContent;

interface TextContent {
  modality: "text";
  text: string;
}

export interface MediaContent {
  modality: "image" | "audio";
  /** The field that holds it, for messages: `input[2]`. */
  param: string;
  read: ReadBytes;
  /** Its cost, read from its header. */
  cost: () => Cost;
}
