import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { listOf, withDefault } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { Vectors } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import { plainErrors } from "./error-forms.js";
import { foreignBody } from "./foreign-body.js";
import type { ForeignContext, Shape } from "./shape.js";

const Files = withDefault(listOf(z.string().min(1), { max: 100_000 }), []);
const none = withDefault(listOf(z.unknown(), { max: 100_000 }), []);

const Body = z.strictObject({
  /** As the containers take them, empty ones too. */
  texts: withDefault(listOf(z.string(), { max: 100_000 }), []),
  images: Files,
  audio: Files,
  video: none,
  imu: none,
  thermal: none,
  depth: none,
});

const Answer = z.object({
  textVectors: Vectors,
  imageVectors: Vectors,
  audioVectors: Vectors,
  videoVectors: Vectors,
  IMUVectors: Vectors,
  thermalVectors: Vectors,
  depthVectors: Vectors,
});
const Meta = z.object({ models: z.array(z.object({ id: z.string(), space: z.string() })) });

/**
 * Weaviate's multi2vec-clip and multi2vec-bind containers: `audioVectors` come over a bridge into
 * the pictures' space. Source: weaviate/multi2vec-clip-inference at 1d91296, app.py;
 * weaviate/multi2vec-bind-inference, app.py.
 */
export const weaviateShape = (services: Services): Shape => ({
  name: "weaviate",
  ...plainErrors,
  routes: [
    {
      method: "GET",
      path: "/.well-known/live",
      status: 204,
      answer: (c) => c.body(null, 204),
    },
    {
      method: "GET",
      path: "/.well-known/ready",
      status: 204,
      answer: (c) => ready(services, c),
    },
    {
      method: "GET",
      path: "/meta",
      returns: json(Meta),
      answer: (c) => c.json(meta(services)),
    },
    {
      method: "POST",
      path: "/vectorize",
      body: json(Body),
      returns: json(Answer),
      answer: (c) => vectorize(services, c),
    },
  ],
});

async function ready({ ready, troubles }: Services, c: ForeignContext): Promise<Response> {
  const isReady = await Promise.race([
    ready.then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);
  return c.body(null, isReady && troubles().length === 0 ? 204 : 503);
}

const meta = ({ packs }: Services) => ({
  models: packs.list().map(({ manifest, space }) => ({ id: manifest.id, space })),
});

async function vectorize(services: Services, c: ForeignContext): Promise<Response> {
  const body = await foreignBody(c, Body);
  for (const name of ["video", "imu", "thermal", "depth"] as const) {
    if (body[name].length > 0) throw invalidInput(name, `"${name}" is not embedded here`);
  }
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const groups = [
    body.texts.map((text): Content => ({ modality: "text", text })),
    body.images.map((image, i) => mediaOf(image, "image", `images[${i}]`)),
    body.audio.map((audio, i) => mediaOf(audio, "audio", `audio[${i}]`)),
  ];
  const contents = groups.flat();
  // A collection must be in one space: that of the first model that understands pictures, whatever
  // a request contains.
  const model = services.packs.find(undefined, "text", "image").manifest.id;
  const vectors =
    contents.length === 0
      ? []
      : (await embedForeign(services, { model, param: "texts" }, contents, c)).embeddings;
  let next = 0;
  const take = (count: number) => {
    next += count;
    return vectors.slice(next - count, next).map((vector) => Array.from(vector));
  };
  const [texts, images, audio] = groups.map(({ length }) => take(length));
  return c.json({
    textVectors: texts,
    imageVectors: images,
    audioVectors: audio,
    videoVectors: [],
    IMUVectors: [],
    thermalVectors: [],
    depthVectors: [],
  });
}
