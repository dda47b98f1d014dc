import type { ErrorForm } from "./shape.js";

/** OpenAI's, and ours. */
export const openaiErrors: ErrorForm = ({ body }) => ({ body: { error: body } });

/** `{"error": "…"}`: Ollama, KServe, Weaviate, Hugging Face and others. */
export const plainErrors: ErrorForm = ({ body }) => ({ body: { error: body.message } });
