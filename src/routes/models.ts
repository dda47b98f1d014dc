import { Hono } from "hono";
import type { Services } from "../services.js";

/** `GET /v1/models`: what is loaded, where it really runs, and which space it embeds into. */
export function modelsRoutes({ packs }: Services) {
  return new Hono().get("/v1/models", (c) => {
    const data = packs.list().map(({ manifest, space, towers }) => ({
      id: manifest.id,
      object: "model",
      family: manifest.family,
      revision: manifest.revision,
      space,
      dimensions: manifest.dimensions,
      modalities: towers.map(({ modality }) => modality),
      towers: towers.map(({ modality, dtype, file, provider, fallbackReason }) => ({
        modality,
        dtype,
        file,
        provider,
        fallback_reason: fallbackReason ?? null,
      })),
      activation: manifest.activation,
      logit_scale: manifest.logitScale,
      logit_bias: manifest.logitBias,
      prompt_templates: manifest.promptTemplates,
      source: manifest.source,
      license: manifest.license,
    }));
    return c.json({ object: "list", data });
  });
}
