import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Services } from "../../services.js";
import { json } from "../describe.js";
import { Vector } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import type { Shape } from "./shape.js";

const Query = z.object({ input: z.string(), model: z.string().optional() });
const Answer = z.object({
  error: z.literal(false),
  result: z.object({ embeddings: z.record(z.string(), Vector) }),
});

/**
 * Freesound's text encoder. Source: MTG/freesound at 4318dcd, the service behind
 * `get_text_embedding`.
 */
export const freesoundShape = (services: Services): Shape => ({
  name: "freesound",
  errors: ({ body }) => ({ body: { error: true, result: body.message } }),
  ErrorAnswer: z.object({ error: z.literal(true), result: z.string() }),
  routes: ["/encode_text", "/encode_text/"].map((path) => ({
    method: "GET",
    path,
    query: Query,
    returns: json(Answer),
    answer: async (c) => {
      const { input, model, ...others } = c.req.query();
      const [other] = Object.keys(others);
      if (other !== undefined) throw invalidInput(other, `Unknown parameter "${other}"`);
      if (!input) throw invalidInput("input", '"input" is missing; expected a text');
      const request = { model, param: "input" };
      const contents = [{ modality: "text" as const, text: input }];
      const { pack, embeddings } = await embedForeign(services, request, contents, c);
      const name = model ?? pack.manifest.id;
      const result = { embeddings: { [name]: Array.from(embeddings[0]) } };
      return c.json({ error: false, result });
    },
  })),
});
