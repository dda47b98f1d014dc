import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { AnyObject, listOf, optional } from "../../wire/fields.js";
import { mediaMaker } from "../media-content.js";
import { foreignBody, hasField } from "./foreign-body.js";
import { labelInterface } from "./label-interface.js";
import { checkUri } from "./parts.js";
import type { ForeignContext, Shape } from "./shape.js";
import { classifyForeign } from "./warnings-header.js";

const Task = AnyObject;
const PredictBody = z.strictObject({
  tasks: listOf(Task, { min: 1, max: 10_000 }),
  label_config: z.string().min(1),
  model_version: optional(z.unknown()),
  project: optional(z.unknown()),
  params: optional(z.unknown()),
});

/**
 * A machine-learning backend for Label Studio: zero-shot choices of its labelling interface.
 * Source: HumanSignal/label-studio-ml-backend, label_studio_ml/api.py.
 */
export const labelStudioShape = (services: Services): Shape => ({
  name: "label-studio",
  errors: ({ body }) => ({ body: { error: body.message } }),
  routes: [
    // At the root Infinity's answer to the same path holds both.
    {
      method: "GET",
      path: "/health",
      onlyUnderPrefix: true,
      answer: (c) => c.json({ status: "UP", model_class: "crossmodal" }),
    },
    { method: "POST", path: "/setup", answer: (c) => c.json({ model_version: version(services) }) },
    {
      method: "POST",
      path: "/predict",
      matches: (c) => hasField(c, "tasks"),
      answer: (c) => predict(services, c),
    },
    // Nothing is learned from annotations; Label Studio only asks that they are taken.
    { method: "POST", path: "/webhook", answer: (c) => c.json({}, 201) },
  ],
});

const version = ({ packs }: Services) =>
  packs
    .list()
    .map(({ space }) => space)
    .join("+");

async function predict(services: Services, c: ForeignContext): Promise<Response> {
  const { tasks, label_config: config } = await foreignBody(c, PredictBody);
  const { from, to, modality, field, labels } = labelInterface(config);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const contents = tasks.map((task, i): Content => {
    const value = (task.data as Record<string, unknown> | undefined)?.[field];
    const param = `tasks[${i}].data.${field}`;
    if (typeof value !== "string") throw invalidInput(param, `Expected a text in "${param}"`);
    if (modality === "text") return { modality, text: value };
    return mediaOf(checkUri(value, param), modality, param);
  });
  const { pack, scored } = await classifyForeign(services, { labels }, contents, c);
  return c.json({
    model_version: pack.space,
    results: scored.map(({ scores: [best] }) => ({
      model_version: pack.space,
      score: best.score,
      result: [
        {
          from_name: from,
          to_name: to,
          type: "choices",
          score: best.score,
          value: { choices: [best.label] },
        },
      ],
    })),
  });
}
