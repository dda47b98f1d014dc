import { Hono } from "hono";
import { z } from "zod";
import { AppError, invalidInput } from "../errors.js";
import { headNamed } from "../heads/headed-pack.js";
import {
  type ClassifiedContents,
  classifyTimeline,
  classifyWith,
  type Scored,
} from "../inference/classify-contents.js";
import { checkInputCount } from "../inference/embed-contents.js";
import type { Answerer, LabelQuery } from "../inference/label-plan.js";
import type { Services } from "../services.js";
import { ZeroShotAnswer, ZeroShotAnswers, ZeroShotRequest } from "../wire/zero-shot.js";
import {
  bodyErrors,
  describe,
  inferenceErrors,
  json,
  jsonOrForm,
  storeErrors,
} from "./describe.js";
import { labelQueryOf } from "./label-sets.js";
import { mediaMaker } from "./media-content.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";
import { answererOf, checkContent, contentNames, scorableOf } from "./zero-shot-input.js";

const zeroShotOperation = describe({
  id: "zeroShot",
  tag: "Inference",
  summary: "Scores of pictures, sounds, texts, items or embeddings against any labels",
  description:
    "Exactly one of image, audio, text, item_id, embedding and inputs; and candidate_labels or a " +
    "label_set, unless a head has its own labels.",
  body: jsonOrForm(ZeroShotRequest),
  answers: { 200: { content: json(z.union([ZeroShotAnswer, ZeroShotAnswers])) } },
  errors: [...bodyErrors, ...inferenceErrors, ...storeErrors],
});

/** `POST /v1/zero-shot`: pictures, sounds, texts or stored items and any labels -> scores. */
export function zeroShotRoutes(services: Services) {
  const { budget, config } = services;
  return new Hono<RequestVariables>().post("/v1/zero-shot", zeroShotOperation, async (c) => {
    budget.refuseWhenFull();
    const lists = ["candidate_labels", "hypothesis_template"];
    const request = await readRequest(c, ZeroShotRequest, {
      lists,
      names: ["candidate_labels"],
      json: ["reject", "embedding", "inputs"],
    });
    const signal = c.get("signal");
    const { inputs, model, head, top_k: topK, threshold, reject, calibration } = request;
    const falseAlarmRate = reject?.false_alarm_rate;
    const query: LabelQuery = {
      ...(await labelQueryOf(request, services.labelSets)),
      ...{ model, head, topK, threshold, falseAlarmRate, calibration },
    };
    const answerOf = (answerer: Answerer & Pick<ClassifiedContents, "calibration">) => ({
      model: answerer.pack.manifest.id,
      ...headNamed(answerer.head),
      ...(answerer.calibration && { calibration: answerer.calibration }),
      space: answerer.pack.space,
      ...(query.labelSet && {
        label_set: { name: query.labelSet.name, version: query.labelSet.version },
      }),
    });
    const scoredOf = ({ scores, verdict, warnings }: Scored) => ({
      scores,
      ...verdictOf(verdict),
      ...rejectOf(verdict, falseAlarmRate),
      warnings,
    });

    if (inputs !== undefined) {
      const other = [...contentNames, "timeline" as const].find((name) => request[name]);
      if (other !== undefined)
        throw invalidInput(other, `"${other}" cannot be combined with "inputs"`);
      checkInputCount(inputs.length, config.maxInputs, "inputs");
    }
    const bodies = inputs ?? [request];
    for (const [i, body] of bodies.entries())
      await located(inputs && `inputs[${i}]`, () => checkContent(body));
    if (request.timeline) {
      if (request.audio === undefined)
        throw invalidInput("timeline", "A timeline needs a sound in the request");
      const sound = mediaMaker(services, signal)(request.audio, "audio", "audio");
      const { timeline, ...answer } = await classifyTimeline(services, query, sound, signal);
      const windows = timeline.map((window) => ({
        start_seconds: window.startSeconds,
        end_seconds: window.endSeconds,
        scores: window.scores,
        ...verdictOf(window.verdict),
      }));
      return c.json({
        ...answerOf(answer),
        ...scoredOf(answer),
        timeline: windows,
      } satisfies ZeroShotAnswer);
    }
    const answerer = await answererOf(services, request, bodies);
    const contents = [];
    for (const [i, body] of bodies.entries()) {
      const at = inputs && `inputs[${i}]`;
      contents.push(await located(at, () => scorableOf(services, answerer, body, signal)));
    }
    const classified = await classifyWith(services, answerer, {
      query,
      contents,
      signal,
    });
    const { scored, warnings } = classified;
    const [first] = scored;
    if (inputs === undefined) {
      const all = [...(first.warnings ?? []), ...(warnings ?? [])];
      return c.json({
        ...answerOf(classified),
        ...scoredOf(first),
        warnings: all.length === 0 ? undefined : all,
      } satisfies ZeroShotAnswer);
    }
    return c.json({
      ...answerOf(classified),
      answers: scored.map(scoredOf),
      warnings,
    } satisfies ZeroShotAnswers);
  });
}

type Verdict = Scored["verdict"];

const verdictOf = (verdict: Verdict) => verdict && { known: verdict.known, label: verdict.label };

const rejectOf = (verdict: Verdict, falseAlarmRate: number | undefined) =>
  verdict && {
    reject: {
      false_alarm_rate: falseAlarmRate!,
      odds: verdict.odds,
      p_value: verdict.pValue,
      background: verdict.background,
    },
  };

/** With several inputs, an error's `param` says which one it was. */
async function located<T>(part: string | undefined, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AppError && part !== undefined ? error.within(part) : error;
  }
}
