import { z } from "zod";
import { AppError, invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { AnyObject, listOf, optional } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { plainErrors } from "./error-forms.js";
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

const WebhookBody = z.looseObject({ action: optional(z.string()) });
const Version = z.object({ model_version: z.string() });
const Prediction = z.object({
  model_version: z.string(),
  score: z.number(),
  result: z.array(
    z.object({
      from_name: z.string(),
      to_name: z.string(),
      type: z.literal("choices"),
      score: z.number(),
      value: z.object({ choices: z.array(z.string()) }),
    }),
  ),
});
const PredictAnswer = Version.extend({ results: z.array(Prediction) });
const Health = z.object({ status: z.literal("UP"), model_class: z.string() });

/**
 * A machine-learning backend for Label Studio: zero-shot choices of its labelling interface.
 * Source: HumanSignal/label-studio-ml-backend, label_studio_ml/api.py; HumanSignal/label-studio,
 * label_studio/ml/api_connector.py.
 */
export const labelStudioShape = (services: Services): Shape => ({
  name: "label-studio",
  ...plainErrors,
  routes: [
    // At the root Infinity's answer to the same path holds both.
    {
      method: "GET",
      path: "/health",
      onlyUnderPrefix: true,
      returns: json(Health),
      answer: (c) => c.json({ status: "UP", model_class: "crossmodal" }),
    },
    {
      method: "POST",
      path: "/setup",
      body: json(AnyObject),
      returns: json(Version),
      answer: (c) => c.json({ model_version: version(services) }),
    },
    {
      method: "POST",
      path: "/predict",
      matches: (c) => hasField(c, "tasks"),
      body: json(PredictBody),
      returns: json(PredictAnswer),
      answer: (c) => predict(services, c),
    },
    // "Start training" is one or the other, by version; anything else only needs to be accepted
    {
      method: "POST",
      path: "/webhook",
      body: json(WebhookBody),
      returns: json(z.object({})),
      status: 201,
      answer: async (c) => {
        const { action } = await foreignBody(c, WebhookBody);
        return action === undefined || action === "START_TRAINING"
          ? refuseTraining()
          : c.json({}, 201);
      },
    },
    { method: "POST", path: "/train", body: json(AnyObject), answer: refuseTraining },
  ],
});

function refuseTraining(): never {
  const message =
    "Annotations cannot be trained on: export them, train a few-shot head (docs/training.md)";
  throw new AppError("no_path", message);
}

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
