import { Hono } from "hono";
import { z } from "zod";
import { cutTo } from "../encoders/shorter.js";
import { findPack, headNamed } from "../heads/headed-pack.js";
import { checkInputCount, embedContents, towerPaths } from "../inference/embed-contents.js";
import type { Services } from "../services.js";
import { EmbeddingsAnswer, EmbeddingsRequest } from "../wire/embeddings.js";
import { ErrorAnswer } from "../wire/error.js";
import { JinaAnswer, JinaBody, JinaError } from "./compat/jina.js";
import { OpenaiList } from "./compat/openai-list.js";
import { VllmBody } from "./compat/vllm.js";
import { bodyErrors, describe, inferenceErrors, json, jsonOrForm } from "./describe.js";
import { toBase64 } from "./embedding-field.js";
import { inputContent } from "./input-content.js";
import { mediaMaker } from "./media-content.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

const embeddingsOperation = describe({
  id: "embeddings",
  tag: "Inference",
  summary: "Embeddings of texts, pictures and sounds, in OpenAI's shape",
  body: {
    ...jsonOrForm(EmbeddingsRequest),
    // The path is Jina's and vLLM's too
    ...json(z.union([EmbeddingsRequest, JinaBody, VllmBody])),
  },
  answers: { 200: { content: json(z.union([EmbeddingsAnswer, OpenaiList, JinaAnswer])) } },
  errors: [...bodyErrors, ...inferenceErrors],
  ErrorAnswer: z.union([ErrorAnswer, JinaError]),
});

/** `POST /v1/embeddings`: OpenAI's shape, for texts, pictures and sounds. */
export function embeddingsRoutes(services: Services) {
  const { budget, config } = services;
  return new Hono<RequestVariables>().post("/v1/embeddings", embeddingsOperation, async (c) => {
    budget.refuseWhenFull();
    const request = await readRequest(c, EmbeddingsRequest, { lists: ["input"] });
    const signal = c.get("signal");
    const inputs = Array.isArray(request.input) ? request.input : [request.input];
    checkInputCount(inputs.length, config.maxInputs, "input");
    const mediaOf = mediaMaker(services, signal);
    const contents = inputs.map((input, i) =>
      inputContent(input, request.modality, {
        mediaOf,
        param: inputs.length === 1 ? "input" : `input[${i}]`,
      }),
    );
    const modalities = [...new Set(contents.map(({ modality }) => modality))];
    const { pack, head } = await findPack(services, request, ...modalities);
    const { space, cut } = cutTo(pack, request.dimensions);
    const { embeddings, tokens, warnings } = await embedContents(
      services,
      towerPaths(pack),
      contents,
      {
        signal,
        tokenizer: pack.tokenizer,
      },
    );
    return c.json({
      object: "list",
      model: pack.manifest.id,
      ...headNamed(head),
      space,
      data: cut(embeddings).map((embedding, index) => ({
        object: "embedding",
        index,
        embedding:
          request.encoding_format === "base64" ? toBase64(embedding) : Array.from(embedding),
        warnings: warnings[index],
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    } satisfies EmbeddingsAnswer);
  });
}
