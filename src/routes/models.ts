import { Hono } from "hono";
import type { LoadedPack } from "../encoders/load.js";
import { invalidInput } from "../errors.js";
import { pullTarget } from "../models/pull-plan.js";
import { installedIds } from "../models/store.js";
import type { Services } from "../services.js";
import { JobStarted } from "../wire/jobs.js";
import { LoadModel, ModelAnswer, ModelList, ModelUnloaded } from "../wire/models.js";
import { bodyErrors, describe, json, jsonOrForm } from "./describe.js";
import { jobAnswer } from "./job-answer.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

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
  load: describe({
    id: "loadModel",
    tag: "Models",
    summary: "Loads an installed model, or pulls one from the hub",
    description:
      "A model that is already loaded is answered unchanged (200), unless reload is set. " +
      "Requests that began earlier continue with the model as it was. None of this survives a " +
      "restart: the option models decides what is loaded then.",
    body: jsonOrForm(LoadModel),
    answers: {
      200: { content: json(ModelAnswer) },
      201: { content: json(ModelAnswer) },
      202: { description: "a job pulls it and loads it then", content: json(JobStarted) },
    },
    errors: [...bodyErrors, "model_not_found", "model_corrupt", "conflict", "inference_failed"],
  }),
  unload: describe({
    id: "unloadModel",
    tag: "Models",
    summary: "Unloads a model; its files stay",
    answers: { 200: { content: json(ModelUnloaded) } },
    errors: ["model_not_found"],
  }),
};

/**
 * `/v1/models`: the loaded models, their devices and spaces; a superset of OpenAI's shape.
 */
export function modelsRoutes(services: Services) {
  const { packs, models, jobs, referenceBank } = services;
  const answer = (pack: LoadedPack) =>
    modelAnswer(pack, { aliases: packs.aliasesOf(pack.manifest.id), referenceBank });
  return new Hono<RequestVariables>()
    .get("/v1/models", operations.list, (c) => c.json(modelList(services)))
    .get("/v1/models/:id", operations.get, (c) => c.json(answer(packs.find(c.req.param("id")))))
    .post("/v1/models", operations.load, async (c) => {
      const body = await readRequest(c, LoadModel, { json: ["dtypes", "pinned", "reload"] });
      const { model, pull, reload, pinned, dtypes, id } = body;
      if ((model === undefined) === (pull === undefined))
        throw invalidInput("model", 'Expected either "model" or "pull"');
      if (model === undefined) {
        pullTarget(pull!, { id }); // a wrong name is reported at once
        const job = await jobs.create("pull", { data: { pull, dtypes, id } });
        return c.json({ job: jobAnswer(job) } satisfies JobStarted, 202);
      }
      const { pack, isNew } = await models.load(packs.resolve(model), { reload });
      if (pinned !== undefined) models.pin(pack.manifest.id, pinned);
      return c.json(answer(pack), isNew ? 201 : 200);
    })
    .delete("/v1/models/:id", operations.unload, (c) => {
      const id = packs.resolve(c.req.param("id"));
      models.unload(id);
      return c.json({ id, unloaded: true } satisfies ModelUnloaded);
    });
}

export const modelList = ({
  packs,
  config,
  referenceBank,
}: Pick<Services, "packs" | "config" | "referenceBank">): ModelList => ({
  object: "list",
  data: packs.list().map((pack) => {
    const aliases = packs.aliasesOf(pack.manifest.id);
    return modelAnswer(pack, { aliases, referenceBank });
  }),
  installed: installedIds(config.dataDir),
});

interface AnswerParts extends Pick<Services, "referenceBank"> {
  aliases: string[];
}

function modelAnswer(
  { manifest, loadedAt, space, towers, isPinned }: LoadedPack,
  { aliases, referenceBank }: AnswerParts,
): ModelAnswer {
  const modalities = towers.map(({ modality }) => modality);
  return {
    id: manifest.id,
    aliases,
    object: "model",
    created: Math.floor(loadedAt / 1000), // manifests have no date
    owned_by: ownerOf(manifest.source),
    family: manifest.family,
    revision: manifest.revision,
    space,
    dimensions: manifest.dimensions,
    shorter_dimensions: manifest.shorterDimensions ?? null,
    modalities,
    architecture: { input_modalities: modalities },
    meta: { n_ctx: manifest.towers.text?.preprocess.contextLength ?? 0 },
    towers: towers.map(({ modality, dtype, file, provider, fallbackReason, bytes, isAwake }) => ({
      modality,
      dtype,
      file,
      provider,
      fallback_reason: fallbackReason ?? null,
      bytes,
      in_memory: isAwake(),
    })),
    background: modalities
      .filter((modality) => modality !== "text")
      .map((modality) => ({ modality, ...referenceBank.backgroundProgress(space, modality) })),
    pinned: isPinned(),
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
