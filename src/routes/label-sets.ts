import { Hono } from "hono";
import { AppError, invalidInput } from "../errors.js";
import { findPack } from "../heads/headed-pack.js";
import { checkLabels } from "../inference/check-labels.js";
import type { LabelQuery } from "../inference/label-plan.js";
import type { LabelSet, LabelSetStore } from "../label-sets/label-set-store.js";
import type { Services } from "../services.js";
import { Deleted } from "../wire/common.js";
import { LabelSetAnswer, LabelSetBody, LabelSetList } from "../wire/label-sets.js";
import type { Label } from "../zero-shot/label.js";
import { chooseTemplates } from "../zero-shot/prompts.js";
import { bodyErrors, describe, inferenceErrors, json, storeErrors } from "./describe.js";
import { readJson } from "./read-json.js";
import type { RequestVariables } from "./request-context.js";

const tag = "Label sets";
const errors = storeErrors;
const operations = {
  list: describe({
    id: "listLabelSets",
    tag,
    summary: "All label sets",
    answers: { 200: { content: json(LabelSetList) } },
    errors,
  }),
  get: describe({
    id: "getLabelSet",
    tag,
    summary: "One label set",
    answers: { 200: { content: json(LabelSetAnswer) } },
    errors,
  }),
  put: describe({
    id: "putLabelSet",
    tag,
    summary: "Creates or replaces a label set: labels with their prompts and thresholds",
    body: json(LabelSetBody),
    answers: { 200: { content: json(LabelSetAnswer) } },
    errors: [...bodyErrors, ...errors, ...inferenceErrors],
  }),
  delete: describe({
    id: "deleteLabelSet",
    tag,
    summary: "Removes a label set",
    answers: { 200: { content: json(Deleted) } },
    errors,
  }),
};

/** `/v1/label-sets`: named labels, for zero-shot and for tagging collections. */
export function labelSetsRoutes(services: Services) {
  const { labelSets, store, config, calibrations } = services;
  return new Hono<RequestVariables>()
    .get("/v1/label-sets", operations.list, async (c) =>
      c.json({
        data: (await labelSets.list()).map((set) => ("error" in set ? set : labelSetAnswer(set))),
      } satisfies LabelSetList),
    )
    .get("/v1/label-sets/:name", operations.get, async (c) =>
      c.json(labelSetAnswer(await labelSets.get(c.req.param("name")))),
    )
    .put("/v1/label-sets/:name", operations.put, async (c) => {
      const body = await readJson(c, LabelSetBody);
      const labels = checkLabels(body.labels.map(asLabel), config.maxLabels, "labels");
      const templates = templatesOf(body.hypothesis_template);
      chooseTemplates({ templates, setName: body.template_set }, undefined, "text");
      const hasThresholds = labels.some(({ threshold }) => threshold !== undefined);
      if (hasThresholds && body.model === undefined && body.head === undefined) {
        const message = 'Expected the "model" or "head" that the thresholds were chosen for';
        throw invalidInput("model", message);
      }
      const { pack, head } = hasThresholds ? await findPack(services, body, "text") : {};
      const { calibration: name } = body;
      const calibration = name === undefined ? undefined : await calibrations.use(name);
      if (calibration !== undefined && pack !== undefined && calibration.space !== pack.space) {
        const message =
          `The calibration "${name}" belongs to the space ${calibration.space}, but ` +
          `"${pack.manifest.id}" answers in ${pack.space}`;
        throw new AppError("space_mismatch", message, { param: "calibration" });
      }
      await store.open(); // as for heads: no other process changes the data folder
      const set = await labelSets.put(c.req.param("name"), {
        labels: labels.map((label) => ({ ...label, prompts: label.prompts && [...label.prompts] })),
        templates,
        templateSet: body.template_set,
        multiLabel: body.multi_label,
        thresholdsOf: pack && {
          space: pack.space,
          head: head && { name: head.name, version: head.version },
          calibration: calibration && { name: calibration.name, version: calibration.version },
        },
        calibration: name,
      });
      return c.json(labelSetAnswer(set));
    })
    .delete("/v1/label-sets/:name", operations.delete, async (c) => {
      const name = c.req.param("name");
      await store.open();
      await labelSets.remove(name);
      return c.json({ name, deleted: true } satisfies Deleted);
    });
}

/** The label fields of a request. */
export interface LabelFieldsOf {
  label_set?: string;
  candidate_labels?: (string | Label)[];
  hypothesis_template?: string | string[];
  template_set?: string;
  multi_label: boolean;
}

/**
 * Labels and templates of a request, or of the label set that it names.
 * @throws AppError `invalid_input` for fields that the set has; `not_found`.
 */
export async function labelQueryOf(
  request: LabelFieldsOf,
  labelSets: LabelSetStore,
): Promise<Pick<LabelQuery, "labels" | "labelSet" | "templates" | "templateSet" | "multiLabel">> {
  const { label_set: name, candidate_labels: labels, multi_label: multiLabel } = request;
  const { hypothesis_template: template, template_set: templateSet } = request;
  if (name === undefined)
    return { labels, templates: templatesOf(template), templateSet, multiLabel };
  const conflicting = Object.entries({
    candidate_labels: labels,
    hypothesis_template: template,
    template_set: templateSet,
    multi_label: multiLabel || undefined,
  }).find(([, value]) => value !== undefined);
  if (conflicting !== undefined)
    throw invalidInput(
      conflicting[0],
      `"${conflicting[0]}" cannot be combined with "label_set", which has its own`,
    );
  const set = await labelSets.get(name);
  return {
    labels: set.labels,
    labelSet: {
      name,
      version: set.version,
      thresholdsOf: set.thresholdsOf,
      calibration: set.calibration,
    },
    templates: set.templates,
    templateSet: set.templateSet,
    multiLabel: set.multiLabel,
  };
}

const asLabel = (one: string | Label): Label => (typeof one === "string" ? { label: one } : one);

const templatesOf = (template: string | string[] | undefined) =>
  typeof template === "string" ? [template] : template;

function labelSetAnswer(set: LabelSet): LabelSetAnswer {
  return {
    name: set.name,
    version: set.version,
    labels: set.labels,
    hypothesis_template: set.templates,
    template_set: set.templateSet,
    multi_label: set.multiLabel,
    thresholds_of: set.thresholdsOf,
    calibration: set.calibration,
    updated_at: set.updatedAt,
  };
}
