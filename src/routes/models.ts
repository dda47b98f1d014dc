import { Hono } from "hono";
import type { LoadedPack } from "../encoders/load.js";
import type { Services } from "../services.js";
import type { ModelAnswer, ModelList } from "../wire/models.js";

/** `/v1/models`: what is loaded, where it really runs, and which space it embeds into; OpenAI's shape and more. */
export function modelsRoutes({ packs }: Services) {
  // Manifests have no date: what a client sees is the model as this server loaded it.
  const created = Math.floor(Date.now() / 1000);
  return new Hono()
    .get("/v1/models", (c) =>
      c.json({
        object: "list",
        data: packs.list().map((pack) => modelAnswer(pack, created)),
      } satisfies ModelList),
    )
    .get("/v1/models/:id", (c) => c.json(modelAnswer(packs.find(c.req.param("id")), created)));
}

function modelAnswer({ manifest, space, towers }: LoadedPack, created: number): ModelAnswer {
  return {
    id: manifest.id,
    object: "model",
    created,
    owned_by: ownerOf(manifest.source),
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
  };
}

/** The organisation of a model from the hub, `openai` of `https://hub.example/openai/clip-vit-base-patch32`. */
function ownerOf(source: string): string {
  const [, owner] = /^https?:\/\/[^/]+\/([^/]+)\/[^/]+/.exec(source) ?? [];
  return owner ?? "crossmodal";
}
