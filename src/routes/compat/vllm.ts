import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Services } from "../../services.js";
import { listOf, optional, withDefault } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { jsonBody } from "../read-json.js";
import { embedGroups } from "./embed-foreign.js";
import { openaiErrors } from "./error-forms.js";
import { foreignBody, hasField } from "./foreign-body.js";
import { OpenaiList, openaiList } from "./openai-list.js";
import { contentOfPart, Part } from "./parts.js";
import type { ForeignContext, Shape } from "./shape.js";

export const VllmBody = z.strictObject({
  model: optional(z.string()),
  messages: listOf(
    z.strictObject({
      role: z.string(),
      content: z.union([z.string().min(1), listOf(Part, { min: 1, max: 1000 })]),
    }),
    { min: 1, max: 1000 },
  ),
  encoding_format: withDefault(z.enum(["float", "base64"]), "float"),
  dimensions: optional(z.int().positive()),
  user: optional(z.string()),
});

/**
 * vLLM's variant of `/v1/embeddings`: a conversation of texts, pictures and sounds becomes one
 * embedding, here the mean of its parts. Source: vLLM, docs/serving/openai_compatible_server,
 * "Embeddings API"; `input_audio` as in OpenAI's chat.
 */
export const vllmShape = (services: Services): Shape => ({
  name: "vllm",
  ...openaiErrors,
  routes: [
    { method: "POST", path: "/v1/embeddings", matches: hasTokens, answer: refuseTokens },
    {
      method: "POST",
      path: "/v1/embeddings",
      matches: (c) => hasField(c, "messages"),
      body: json(VllmBody),
      returns: json(OpenaiList),
      answer: async (c) => {
        const body = await foreignBody(c, VllmBody);
        const signal = c.get("signal");
        const mediaOf = mediaMaker(services, signal);
        const parts = body.messages.flatMap(({ content }, i) =>
          typeof content === "string"
            ? [{ modality: "text" as const, text: content }]
            : content.map((part, j) =>
                contentOfPart(part, mediaOf, `messages[${i}].content[${j}]`),
              ),
        );
        const inputs = { ...body, param: "messages" };
        const { pack, embeddings, tokens } = await embedGroups(services, inputs, [parts], c);
        return c.json({
          ...openaiList(pack.manifest.id, embeddings, body.encoding_format),
          usage: { prompt_tokens: tokens, total_tokens: tokens },
        });
      },
    },
  ],
});

async function hasTokens(c: ForeignContext): Promise<boolean> {
  if (!(await hasField(c, "input"))) return false;
  const { input } = (await jsonBody(c)) as { input: unknown };
  const [first] = Array.isArray(input) ? input : [];
  return typeof first === "number" || (Array.isArray(first) && typeof first[0] === "number");
}

/** Token ids are another model's: as text they would embed digits, as ids something else. */
function refuseTokens(): never {
  const message =
    "Expected texts but received token ids, which another model's tokenizer made; send the " +
    "texts themselves (LangChain: check_embedding_ctx_length=False)";
  throw invalidInput("input[0]", message);
}
