import { z } from "zod";
import { imageSide } from "../../encoders/manifest.js";
import { invalidInput } from "../../errors.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { foreignBody } from "./foreign-body.js";
import { checkUri } from "./parts.js";
import type { ForeignContext, Shape } from "./shape.js";
import { classifyForeign } from "./warnings-header.js";

/** Settings of language models, which it also sends to services that have none. */
const ofLanguageModels = z.unknown().optional();
const Body = z.strictObject({
  id: optional(z.string()),
  model: optional(z.string()),
  version: optional(z.string()),
  /** Either pictures, or the URL of one. */
  images: optional(listOf(z.string().min(1), { min: 1, max: 1000 })),
  url: optional(z.string().min(1)),
  stream: optional(z.literal(false)),
  suffix: ofLanguageModels,
  system: ofLanguageModels,
  prompt: ofLanguageModels,
  format: ofLanguageModels,
  options: ofLanguageModels,
  context: ofLanguageModels,
  schema: ofLanguageModels,
  org: ofLanguageModels,
  project: ofLanguageModels,
});
const Query = z.object({
  candidate_labels: z.string(),
  model: z.string().optional(),
});
const Answer = z.object({
  id: z.string(),
  code: z.literal(200),
  model: z.object({
    type: z.literal("labels"),
    name: z.string(),
    version: z.string(),
    resolution: z.int(),
  }),
  result: z.object({
    labels: z.array(
      z.object({
        name: z.string(),
        source: z.literal("image"),
        priority: z.int(),
        confidence: z.number(),
        topicality: z.number(),
        categories: z.array(z.string()),
      }),
    ),
  }),
});

/** Labels below this are noise. */
const threshold = 0.05;

/**
 * PhotoPrism's vision service: zero-shot labels, from the list in the URL that PhotoPrism is given
 * (`…/api/v1/vision/labels?candidate_labels=cat,dog`). Source: photoprism/photoprism,
 * internal/ai/vision/api_request.go and api_response.go.
 */
export const photoprismShape = (services: Services): Shape => ({
  name: "photoprism",
  errors: ({ status, body }) => ({ body: { code: status, error: body.message } }),
  ErrorAnswer: z.object({ code: z.int(), error: z.string() }),
  routes: [
    {
      method: "POST",
      path: "/api/v1/vision/labels",
      query: Query,
      body: json(Body),
      returns: json(Answer),
      answer: (c) => labelsOf(services, c),
    },
  ],
});

async function labelsOf(services: Services, c: ForeignContext): Promise<Response> {
  const { id, model: name, images, url } = await foreignBody(c, Body);
  if ((images === undefined) === (url === undefined))
    throw invalidInput("images", 'Expected either "images" or "url"');
  const requested = c.req.queries("candidate_labels") ?? [];
  const labels = requested.flatMap((text) => text.split(",")).map((label) => label.trim());
  if (labels.length === 0) {
    const message = "Expected the labels in the URL: ?candidate_labels=cat,dog";
    throw invalidInput("candidate_labels", message);
  }
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const contents = (images ?? [url!]).map((uri, i) => {
    const param = images === undefined ? "url" : `images[${i}]`;
    return mediaOf(checkUri(uri, param), "image", param);
  });
  const query = { model: c.req.query("model") ?? (name || undefined), labels };
  const { pack, scored } = await classifyForeign(services, query, contents, c);
  // Several pictures are views of one photo: a label counts by its best.
  const best = new Map<string, number>();
  for (const { label, score } of scored.flatMap(({ scores }) => scores))
    best.set(label, Math.max(score, best.get(label) ?? 0));
  const { id: model, revision: version, towers } = pack.manifest;
  const resolution = imageSide(towers.image!.preprocess);
  return c.json({
    id: id ?? "",
    code: 200,
    model: { type: "labels", name: model, version, resolution },
    result: {
      labels: [...best]
        .filter(([, score]) => score >= threshold)
        .sort(([, a], [, b]) => b - a)
        .map(([label, score]) => ({
          name: label,
          source: "image",
          priority: 0,
          confidence: score,
          topicality: score,
          categories: [],
        })),
    },
  });
}
