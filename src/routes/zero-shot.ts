import { Hono } from "hono";
import { invalidInput } from "../errors.js";
import { headNamed } from "../heads/headed-pack.js";
import { classifyContents, classifyTimeline, type Scored } from "../inference/classify-contents.js";
import type { Content } from "../inference/content.js";
import type { Services } from "../services.js";
import { ZeroShotAnswer, ZeroShotRequest } from "../wire/zero-shot.js";
import { bodyErrors, describe, inferenceErrors, json, jsonOrForm } from "./describe.js";
import { mediaMaker } from "./media-content.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

const zeroShotOperation = describe({
  id: "zeroShot",
  tag: "Inference",
  summary: "Scores of a picture, sound or text against any labels",
  description:
    "Exactly one of image, audio and text, and candidate_labels unless a head has its own.",
  body: jsonOrForm(ZeroShotRequest),
  answers: { 200: { content: json(ZeroShotAnswer) } },
  errors: [...bodyErrors, ...inferenceErrors],
});

/** `POST /v1/zero-shot`: one picture, sound or text and any labels -> scores, best first. */
export function zeroShotRoutes(services: Services) {
  const { budget } = services;
  return new Hono<RequestVariables>().post("/v1/zero-shot", zeroShotOperation, async (c) => {
    budget.refuseWhenFull();
    const lists = ["candidate_labels", "hypothesis_template"];
    const request = await readRequest(c, ZeroShotRequest, {
      lists,
      names: ["candidate_labels"],
      json: ["reject"],
    });
    const signal = c.get("signal");
    const modality = onlyModality(request);
    if (request.timeline && modality !== "audio") {
      throw invalidInput("timeline", `A timeline is of a sound, not of ${modality}`);
    }
    const { candidate_labels: labels, template_set: templateSet, model, head: headName } = request;
    const { hypothesis_template: template, multi_label: multiLabel, top_k: topK } = request;
    const { threshold, reject, calibration } = request;
    const falseAlarmRate = reject?.false_alarm_rate;
    const templates = typeof template === "string" ? [template] : template;
    const query = {
      labels,
      model,
      head: headName,
      templates,
      templateSet,
      multiLabel,
      topK,
      threshold,
      falseAlarmRate,
      calibration,
    };
    const mediaOf = mediaMaker(services, signal);
    const answerOf = ({ pack, head, calibration }: Omit<Classified, "scored">) => ({
      model: pack.manifest.id,
      ...headNamed(head),
      ...(calibration && { calibration }),
      space: pack.space,
    });
    if (!request.timeline) {
      const content: Content =
        modality === "text"
          ? { modality, text: request.text! }
          : mediaOf(request[modality]!, modality, modality);
      const classified = await classifyContents(services, query, [content], signal);
      const [{ scores, verdict, warnings }] = classified.scored;
      return c.json({
        ...answerOf(classified),
        scores,
        ...verdictOf(verdict),
        ...rejectOf(verdict, falseAlarmRate),
        warnings,
      } satisfies ZeroShotAnswer);
    }
    const sound = mediaOf(request.audio!, "audio", "audio");
    const { scores, verdict, timeline, warnings, ...by } = await classifyTimeline(
      services,
      query,
      sound,
      signal,
    );
    const windows = timeline.map((window) => ({
      start_seconds: window.startSeconds,
      end_seconds: window.endSeconds,
      scores: window.scores,
      ...verdictOf(window.verdict),
    }));
    return c.json({
      ...answerOf(by),
      scores,
      ...verdictOf(verdict),
      ...rejectOf(verdict, falseAlarmRate),
      timeline: windows,
      warnings,
    } satisfies ZeroShotAnswer);
  });
}

type Verdict = Scored["verdict"];

const verdictOf = (verdict: Verdict) => verdict && { known: verdict.known, label: verdict.label };

const rejectOf = (verdict: Verdict, falseAlarmRate: number | undefined) =>
  verdict && {
    reject: {
      false_alarm_rate: falseAlarmRate!,
      p_value: verdict.pValue,
      background: verdict.background,
    },
  };

type Classified = Awaited<ReturnType<typeof classifyContents>>;

function onlyModality(request: ZeroShotRequest) {
  const given = (["image", "audio", "text"] as const).filter((name) => request[name] !== undefined);
  if (given.length === 1) return given[0];
  const came = given.length === 0 ? "none" : given.join(" and ");
  throw invalidInput(
    given[1] ?? "image",
    `Expected one of "image", "audio" and "text" but received ${came}`,
  );
}
