import { Hono } from "hono";
import type { LoadedPack } from "../encoders/load.js";
import type { Packs } from "../encoders/packs.js";
import type { Services } from "../services.js";
import { ModelAnswer, ModelList } from "../wire/models.js";
import { describe, json } from "./describe.js";

const operations = {
  list: describe({
    id: "listModels",
    tag: "Models",
    summary: "The loaded models",
    answers: { 200: { content: json(ModelList) } },
  }),
  get: describe({
    id: "getModel",
    tag: "Models",
    summary: "One loaded model",
    answers: { 200: { content: json(ModelAnswer) } },
    errors: ["model_not_found"],
  }),
};

/**
 * `/v1/models`: the loaded models, their devices and spaces; a superset of OpenAI's shape.
 */
export function modelsRoutes({ packs }: Services) {
  // Manifests have no date: this is when the server loaded the model.
  const created = Math.floor(Date.now() / 1000);
  return new Hono()
    .get("/v1/models", operations.list, (c) => c.json(modelList(packs, created)))
    .get("/v1/models/:id", operations.get, (c) => {
      const pack = packs.find(c.req.param("id"));
      return c.json(modelAnswer(pack, packs.aliasesOf(pack.manifest.id), created));
    });
}

export const modelList = (packs: Packs, created: number): ModelList => ({
  object: "list",
  data: packs.list().map((pack) => modelAnswer(pack, packs.aliasesOf(pack.manifest.id), created)),
});

function modelAnswer(
  { manifest, space, towers }: LoadedPack,
  aliases: string[],
  created: number,
): ModelAnswer {
  const modalities = towers.map(({ modality }) => modality);
  return {
    id: manifest.id,
    aliases,
    object: "model",
    created,
    owned_by: ownerOf(manifest.source),
    family: manifest.family,
    revision: manifest.revision,
    space,
    dimensions: manifest.dimensions,
    modalities,
    architecture: { input_modalities: modalities },
    meta: { n_ctx: manifest.towers.text?.preprocess.contextLength ?? 0 },
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

/**
 * The organisation of a model from the hub, `openai` of
 * `https://hub.example/openai/clip-vit-base-patch32`.
 */
function ownerOf(source: string): string {
  const [, owner] = /^https?:\/\/[^/]+\/([^/]+)\/[^/]+/.exec(source) ?? [];
  return owner ?? "crossmodal";
}
