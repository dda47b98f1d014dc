import { z } from "zod";
import { optional } from "../../wire/field-types.js";

/** `prompt_name` of sentence-transformers: null only. */
export const NoPrompt = optional(
  z.undefined({ error: "the models here have no prompts: put it before the text" }),
);
