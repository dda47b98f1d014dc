import { Hono } from "hono";
import { countMissing } from "../encoders/count-missing.js";
import type { Embedding, Encoder, Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { findPack, headNamed } from "../heads/headed-pack.js";
import type { Cost } from "../media/budget.js";
import { withDecoded } from "../media/with-decoded.js";
import type { Services } from "../services.js";
import { type EmbeddingsAnswer, EmbeddingsRequest } from "../wire/embeddings.js";
import { toBase64 } from "./embedding-field.js";
import { costOfMedia } from "./media-cost.js";
import { type MediaField, readMedia } from "./read-media.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

/** `POST /v1/embeddings`: OpenAI's shape, for texts, pictures and sounds. */
export function embeddingsRoutes(services: Services) {
  const { budget, fetchMedia, config } = services;
  return new Hono<RequestVariables>().post("/v1/embeddings", async (c) => {
    budget.refuseWhenFull();
    const request = await readRequest(c, EmbeddingsRequest, { lists: ["input"] });
    const signal = c.get("signal");
    const inputs = Array.isArray(request.input) ? request.input : [request.input];
    if (inputs.length > config.maxInputs) {
      const message = `Expected at most ${config.maxInputs} inputs but received ${inputs.length} (option maxInputs)`;
      throw new AppError("invalid_input", message, { param: "input" });
    }
    const modality = request.modality ?? modalityOf(inputs[0]);
    const { pack, head } = await findPack(services, request, modality);
    const { id, dimensions } = pack.manifest;
    if (request.dimensions !== undefined && request.dimensions !== dimensions) {
      const message = `The model "${id}" gives ${dimensions} dimensions, not ${request.dimensions}`;
      throw new AppError("invalid_input", message, { param: "dimensions" });
    }
    const bytesOf = (position: number) =>
      readMedia(
        inputs[position],
        inputs.length === 1 ? "input" : `input[${position}]`,
        fetchMedia,
        signal,
      );

    const texts = modality === "text" ? textsOf(inputs) : [];
    const text = pack.encoders.text;
    const costs = function* (): Generator<Cost> {
      if (modality !== "text")
        for (const input of inputs) yield costOfMedia(input, modality, config);
      else yield { inputs: countMissing(text!, texts.length, (i) => texts[i]) };
    };
    let tokens = 0;
    const warnings: (readonly string[])[] = [];
    const embeddings = await budget.request(costs(), signal, async (turn) => {
      if (modality === "text") {
        const embedded = await text!.encode(texts, signal);
        const rows = await pack.tokenizer!.tokenize(texts, signal);
        tokens = rows.reduce((total, { length }) => total + length, 0);
        return embedded;
      }
      const encoder = pack.encoders[modality] as Encoder;
      return embedEach(inputs.length, (position, failure) => {
        const read = async () => {
          failure.throwIfAborted();
          return bytesOf(position);
        };
        const onWarnings = (found: readonly string[]) => {
          warnings[position] = found;
        };
        return withDecoded(services, turn, { modality, read, onWarnings }, async (decoded) => {
          const [embedding] = await encoder.encode([decoded], signal);
          return embedding;
        });
      });
    });
    return c.json({
      object: "list",
      model: id,
      ...headNamed(head),
      space: pack.space,
      data: embeddings.map((embedding, index) => ({
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

function textsOf(inputs: readonly MediaField[]): string[] {
  return inputs.map((input, i) => {
    if (typeof input === "string") return input;
    throw new AppError("invalid_input", "Expected a text but received a file", {
      param: `input[${i}]`,
    });
  });
}

/**
 * Embeds all, in order. After a failure nothing more begins, and what has begun is awaited: nothing
 * of a request goes on after its answer.
 */
async function embedEach(
  count: number,
  embed: (position: number, failure: AbortSignal) => Promise<Embedding>,
): Promise<Embedding[]> {
  const failure = new AbortController();
  const embedding = Array.from({ length: count }, (_, position) =>
    embed(position, failure.signal).catch((error) => {
      failure.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(embedding);
  return Promise.all(embedding);
}

/** Without `modality`, a data URI says itself what it is; anything else in JSON is text. */
function modalityOf(input: string | Uint8Array): Modality {
  if (typeof input !== "string") {
    const message = 'Expected "modality" (image or audio) beside an uploaded file';
    throw new AppError("invalid_input", message, { param: "modality" });
  }
  // Schemes and media types are compared without case.
  if (/^data:image\//i.test(input)) return "image";
  if (/^data:audio\//i.test(input)) return "audio";
  return "text";
}
