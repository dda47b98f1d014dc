import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/fields.js";
import { mediaMaker } from "../media-content.js";
import { foreignBody } from "./foreign-body.js";
import { checkUri } from "./parts.js";
import type { Shape } from "./shape.js";
import { classifyForeign } from "./warnings-header.js";

const Body = z.strictObject({
  id: optional(z.string()),
  model: optional(z.string()),
  version: optional(z.string()),
  images: listOf(z.string().min(1), { min: 1, max: 1000 }),
});

/** Labels below this are noise. */
const threshold = 0.05;

/**
 * PhotoPrism's vision service: zero-shot labels, from the list in the URL that PhotoPrism is given
 * (`…/api/v1/vision/labels?candidate_labels=cat,dog`). Source: photoprism/photoprism,
 * internal/ai/vision/api_request.go.
 */
export const photoprismShape = (services: Services): Shape => ({
  name: "photoprism",
  errors: ({ status, body }) => ({ body: { code: status, error: body.message } }),
  routes: [
    {
      method: "POST",
      path: "/api/v1/vision/labels",
      answer: async (c) => {
        const { id, model: name, images } = await foreignBody(c, Body);
        const given = c.req.queries("candidate_labels") ?? [];
        const labels = given.flatMap((text) => text.split(",")).map((label) => label.trim());
        if (labels.length === 0) {
          const message = "Expected the labels in the URL: ?candidate_labels=cat,dog";
          throw invalidInput("candidate_labels", message);
        }
        const signal = c.get("signal");
        const mediaOf = mediaMaker(services, signal);
        const contents = images.map((uri, i) =>
          mediaOf(checkUri(uri, `images[${i}]`), "image", `images[${i}]`),
        );
        const query = { model: c.req.query("model") ?? (name || undefined), labels };
        const { pack, scored } = await classifyForeign(services, query, contents, c);
        // Several pictures are views of one photo: a label counts by its best.
        const best = new Map<string, number>();
        for (const { label, score } of scored.flatMap(({ scores }) => scores))
          best.set(label, Math.max(score, best.get(label) ?? 0));
        const { manifest } = pack;
        return c.json({
          id: id ?? "",
          code: 200,
          model: {
            type: "labels",
            name: manifest.id,
            version: manifest.revision,
            resolution: 224,
          },
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
      },
    },
  ],
});
