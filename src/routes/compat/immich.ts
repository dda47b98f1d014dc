import { z } from "zod";
import type { Embedding } from "../../encoders/encoder.js";
import type { LoadedPack } from "../../encoders/load.js";
import { allowsShorter } from "../../encoders/shorter.js";
import { AppError, invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { traceOutgoing } from "../../tracing/trace-context.js";
import { optional } from "../../wire/field-types.js";
import { parseBody } from "../../wire/parse-with.js";
import { json, text } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { readBody } from "../read-body.js";
import { readForm } from "../read-form.js";
import { contentTypeOf, parseHeld } from "../read-json.js";
import { embedForeign } from "./embed-foreign.js";
import { dimensionsOf, plainName } from "./immich-dimensions.js";
import type { ErrorForm, ForeignContext, Shape } from "./shape.js";

const Model = z.strictObject({
  modelName: z.string().min(1),
  /** `language` of a text: the models here know no difference. */
  options: optional(z.strictObject({ language: optional(z.string()) })),
});
const Clip = z.union([z.strictObject({ visual: Model }), z.strictObject({ textual: Model })]);
const Entries = z.union([
  z.strictObject({ clip: Clip }),
  // For the upstream, which reads them itself.
  z.strictObject({ "facial-recognition": z.unknown() }),
  z.strictObject({ ocr: z.unknown() }),
]);

const Form = {
  type: "object",
  required: ["entries"],
  properties: {
    entries: { type: "string", description: "JSON" },
    image: { type: "string", format: "binary" },
    text: { type: "string" },
  },
};
const ClipAnswer = z.object({
  clip: z.string(),
  imageHeight: z.int().optional(),
  imageWidth: z.int().optional(),
});
/** What the upstream finds. */
const PassedOn = z.looseObject({ imageHeight: z.int(), imageWidth: z.int() });

/** FastAPI's form; invalid entries are 422, and unsupported tasks 501. */
const errors: ErrorForm = ({ status, body: { code, message, param } }) => ({
  body: { detail: message },
  status: code === "invalid_input" && param === "entries" ? 422 : code === "no_path" ? 501 : status,
});

/**
 * Immich's machine-learning server. Source: immich-app/immich,
 * server/src/repositories/machine-learning.repository.ts and machine-learning/immich_ml/main.py.
 */
export const immichShape = (services: Services): Shape => ({
  name: "immich",
  errors,
  ErrorAnswer: z.object({ detail: z.string() }),
  routes: [
    {
      method: "GET",
      path: "/ping",
      returns: text("text/plain"),
      answer: (c) => c.text("pong"),
    },
    {
      method: "GET",
      path: "/",
      onlyUnderPrefix: true,
      returns: json(z.object({ message: z.literal("Immich ML") })),
      answer: (c) => c.json({ message: "Immich ML" }),
    },
    {
      method: "POST",
      path: "/predict",
      matches: (c) => /^multipart\/form-data/i.test(c.req.header("content-type") ?? ""),
      body: { "multipart/form-data": Form },
      returns: json(z.union([ClipAnswer, PassedOn])),
      answer: (c) => predict(services, c),
    },
  ],
});

async function predict(services: Services, c: ForeignContext): Promise<Response> {
  const type = contentTypeOf(c);
  if (type?.value !== "multipart/form-data") {
    throw new AppError("unsupported_media", "Expected multipart/form-data", {
      param: "content-type",
    });
  }
  const body = await readBody(c);
  const form = await readForm(
    (async function* () {
      yield body;
    })(),
    type,
  );
  const [sent] = form.get("entries") ?? [];
  if (typeof sent !== "string") throw invalidInput("entries", '"entries" is missing');
  const entries = await parseHeld(c, Buffer.from(sent), "entries")
    .then((value) => parseBody(Entries, value))
    .catch((error) => {
      throw error instanceof AppError ? invalidInput("entries", error.message, error) : error;
    });
  if (!("clip" in entries)) return passOn(services, c, body, Object.keys(entries)[0]);
  const signal = c.get("signal");
  const isPicture = "visual" in entries.clip;
  const { modelName } = "visual" in entries.clip ? entries.clip.visual : entries.clip.textual;
  const [field] = form.get(isPicture ? "image" : "text") ?? [];
  if (field === undefined) {
    const name = isPicture ? "image" : "text";
    throw invalidInput(name, `Either image or text must be provided: "${name}" is missing`);
  }
  const content: Content = isPicture
    ? mediaMaker(services, signal)(Buffer.from(field), "image", "image")
    : { modality: "text", text: String(field) };
  const model = knownName(modelName, services);
  const inputs = {
    model,
    dimensions: shorterFor(modelName, services.packs.find(model)),
    param: isPicture ? "image" : "text",
  };
  const { pack, embeddings, sizes } = await embedForeign(services, inputs, [content], c);
  const clip = JSON.stringify(Array.from(padded(embeddings[0], modelName, pack.manifest.id)));
  if (!isPicture) return c.json({ clip });
  const { width, height } = sizes[0]!;
  return c.json({ clip, imageHeight: height, imageWidth: width });
}

/** A model that was added from Immich's folder needs no alias, though its id is in lower case. */
function knownName(modelName: string, { packs }: Services): string {
  const isKnown = (name: string) =>
    packs.list().some(({ manifest }) => manifest.id === packs.resolve(name));
  const plain = plainName(modelName);
  return [modelName, plain, plain.toLowerCase()].find(isKnown) ?? modelName;
}

/** The length that Immich keeps, if the model gives longer ones that may be cut to it. */
function shorterFor(modelName: string, { manifest }: LoadedPack): number | undefined {
  const wanted = dimensionsOf(modelName);
  return wanted !== undefined && allowsShorter(manifest, wanted) ? wanted : undefined;
}

/** Immich's column has the length of the model it asks for; zeros change no cosine. */
function padded(embedding: Embedding, modelName: string, id: string): Float32Array {
  const wanted = dimensionsOf(modelName);
  if (wanted === undefined || wanted === embedding.length) return embedding;
  if (embedding.length > wanted) {
    const message =
      `Immich keeps ${wanted} numbers for "${modelName}", but "${id}" gives ` +
      `${embedding.length}: choose an alias of a larger model`;
    throw invalidInput("entries", message);
  }
  const filled = new Float32Array(wanted);
  filled.set(embedding);
  return filled;
}

/** Faces and text are handled by another server: the form is forwarded unchanged. */
async function passOn(
  { config }: Services,
  c: ForeignContext,
  body: Uint8Array,
  task: string,
): Promise<Response> {
  if (config.immichUpstream === "") {
    const message =
      `"${task}" is not supported: switch it off in Immich, or set immichUpstream to Immich's ` +
      "own machine-learning server";
    throw new AppError("no_path", message, { param: task });
  }
  const url = new URL("/predict", config.immichUpstream);
  const { username, password } = url;
  // fetch refuses an address with a login in it
  url.username = url.password = "";
  const login = Buffer.from([username, password].map(decodeURIComponent).join(":"));
  const headers = {
    "content-type": c.req.header("content-type")!,
    ...(username !== "" && { authorization: `Basic ${login.toString("base64")}` }),
  };
  const signal = c.get("signal");
  const traced = traceOutgoing("POST", url.host);
  const answer = await fetch(url, {
    method: "POST",
    headers: { ...headers, ...traced.headers },
    body: Uint8Array.from(body),
    signal,
  }).catch((cause) => {
    traced.end();
    signal.throwIfAborted();
    throw new AppError("fetch_failed", "The server of immichUpstream did not answer", { cause });
  });
  traced.end(answer.status);
  const contentType = answer.headers.get("content-type") ?? "application/json";
  return new Response(answer.body, {
    status: answer.status,
    headers: { "content-type": contentType },
  });
}
