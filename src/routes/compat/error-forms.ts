import { z } from "zod";
import { ErrorAnswer } from "../../wire/error.js";
import type { Shape } from "./shape.js";

type Errors = Pick<Shape, "errors" | "ErrorAnswer">;

/** OpenAI's, and ours. */
export const openaiErrors: Errors = {
  errors: ({ body }) => ({ body: { error: body } }),
  ErrorAnswer,
};

/** `{"error": "…"}`: Ollama, KServe, Weaviate, Hugging Face and others. */
export const plainErrors: Errors = {
  errors: ({ body }) => ({ body: { error: body.message } }),
  ErrorAnswer: z.object({ error: z.string() }),
};
