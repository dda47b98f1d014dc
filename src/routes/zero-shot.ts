import { Hono } from "hono";
import type { Encoder } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { examplesOf } from "../heads/examples.js";
import { findPack, headNamed } from "../heads/headed-pack.js";
import type { Cost } from "../media/budget.js";
import { soundSize } from "../media/sound-size.js";
import { withDecoded } from "../media/with-decoded.js";
import type { Services } from "../services.js";
import { type ZeroShotAnswer, ZeroShotRequest } from "../wire/zero-shot.js";
import { missingPrompts } from "../zero-shot/class-embeddings.js";
import {
  type ClassifyOptions,
  classifyEmbedded,
  classifyWindows,
} from "../zero-shot/classifier.js";
import { chooseTemplates, mostPromptCharacters } from "../zero-shot/prompts.js";
import { costOfMedia } from "./media-cost.js";
import { readMedia } from "./read-media.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

/** `POST /v1/zero-shot`: one picture, sound or text and any labels -> scores, best first. */
export function zeroShotRoutes(services: Services) {
  const { budget, fetchMedia, config } = services;
  return new Hono<RequestVariables>().post("/v1/zero-shot", async (c) => {
    budget.refuseWhenFull();
    const lists = ["candidate_labels", "hypothesis_template"];
    const request = await readRequest(c, ZeroShotRequest, { lists, names: ["candidate_labels"] });
    const signal = c.get("signal");
    const modality = onlyModality(request);
    if (request.timeline && modality !== "audio") {
      throw new AppError("invalid_input", `A timeline is of a sound, not of ${modality}`, {
        param: "timeline",
      });
    }
    const { pack, head } = await findPack(services, request, modality, "text");
    const labels = checkLabels(request.candidate_labels ?? head?.fewShot?.labels, config.maxLabels);
    if (request.multi_label && head?.fewShot !== undefined) {
      const message = `The head "${head.name}" tells its labels from each other: multi_label cannot go with it`;
      throw new AppError("invalid_input", message, { param: "multi_label" });
    }
    const given = request.hypothesis_template;
    const templates = chooseTemplates(
      { templates: typeof given === "string" ? [given] : given, setName: request.template_set },
      pack.manifest.promptTemplates[modality],
      modality,
    );
    const { top_k: topK, threshold, multi_label: multiLabel } = request;
    const options: ClassifyOptions = { templates, multiLabel, topK, threshold, signal };
    const { logitScale, logitBias, activation } = pack.manifest;
    const examples = head?.fewShot && examplesOf(head, logitScale, modality);
    const shared = {
      textEncoder: pack.encoders.text!,
      logitScale,
      logitBias,
      activation,
      examples,
    };
    const answer = { model: pack.manifest.id, ...headNamed(head), space: pack.space };
    const costs = function* (): Generator<Cost> {
      if (modality === "text") yield { inputs: 1 };
      else yield costOfMedia(request[modality]!, modality, config);
      if (examples?.usesTexts !== false)
        yield { inputs: missingPrompts(pack.encoders.text!, labels, templates) };
    };

    return budget.request(costs(), signal, async (turn) => {
      if (modality === "text") {
        const embed = async () => (await pack.encoders.text!.encode([request.text!], signal))[0];
        return c.json({
          ...answer,
          scores: await classifyEmbedded(shared, embed, labels, options),
        } satisfies ZeroShotAnswer);
      }
      let warnings: readonly string[] | undefined;
      const onWarnings = (found: readonly string[]) => {
        warnings = found;
      };
      const read = () => readMedia(request[modality]!, modality, fetchMedia, signal);
      if (modality === "image" || !request.timeline) {
        const encoder = pack.encoders[modality] as Encoder;
        const embed = () =>
          withDecoded(services, turn, { modality, read, onWarnings }, async (decoded) => {
            const [embedding] = await encoder.encode([decoded], signal);
            return embedding;
          });
        const scores = await classifyEmbedded(shared, embed, labels, options);
        return c.json({ ...answer, scores, warnings } satisfies ZeroShotAnswer);
      }
      const { hopSeconds } = pack.manifest.towers.audio!.preprocess;
      const shown = Math.min(topK ?? labels.length, labels.length);
      const characters = labels.reduce((sum, label) => sum + label.length, 0);
      const bytesPerWindow = shown * (bytesPerScore + characters / labels.length);
      const checkWindows = (windows: number) => {
        if (windows * bytesPerWindow > config.maxAnswerBytes) throw longTimeline(windows, shown);
      };
      const readShort = async () => {
        const bytes = await read();
        const size = soundSize(bytes);
        if (size !== undefined) checkWindows(size.frames / size.sampleRateHz / hopSeconds);
        return bytes;
      };
      const source = { modality: "audio" as const, read: readShort, onWarnings };
      const embed = () =>
        withDecoded(services, turn, source, async (sound) => {
          const encoded = await pack.encodeWindows!(sound, signal);
          checkWindows(encoded.windows.length);
          return encoded;
        });
      const { scores, timeline } = await classifyWindows(shared, embed, labels, options);
      const windows = timeline.map((window) => ({
        start_seconds: window.startSeconds,
        end_seconds: window.endSeconds,
        scores: window.scores,
      }));
      return c.json({
        ...answer,
        scores,
        timeline: windows,
        warnings,
      } satisfies ZeroShotAnswer);
    });
  });
}

/** Of a score in an answer, besides its label. */
const bytesPerScore = 48;

function longTimeline(windows: number, labels: number): AppError {
  const message =
    `The timeline of about ${Math.ceil(windows)} windows with ${labels} scores each is larger than ` +
    'an answer may be (option maxAnswerBytes); ask for a smaller "top_k", or send a part of the sound';
  return new AppError("too_large", message, { param: "timeline" });
}

function onlyModality(request: ZeroShotRequest) {
  const given = (["image", "audio", "text"] as const).filter((name) => request[name] !== undefined);
  if (given.length === 1) return given[0];
  const came = given.length === 0 ? "none" : given.join(" and ");
  throw new AppError(
    "invalid_input",
    `Expected one of "image", "audio" and "text" but received ${came}`,
    {
      param: given[1] ?? "image",
    },
  );
}

function checkLabels(labels: readonly string[] | undefined, most: number): readonly string[] {
  const param = "candidate_labels";
  if (labels === undefined) {
    throw new AppError("invalid_input", `"${param}" is missing; expected array`, { param });
  }
  if (labels.length > most) {
    const message = `Expected at most ${most} labels but received ${labels.length} (option maxLabels)`;
    throw new AppError("invalid_input", message, { param });
  }
  const seen = new Set<string>();
  for (const [i, label] of labels.entries()) {
    if (label.trim() === "")
      throw new AppError("invalid_input", `Label ${i} is empty`, { param: `${param}[${i}]` });
    if (label.length > mostPromptCharacters) {
      const message = `Expected a label of at most ${mostPromptCharacters} characters but received ${label.length}`;
      throw new AppError("invalid_input", message, { param: `${param}[${i}]` });
    }
    if (seen.has(label)) {
      throw new AppError("invalid_input", `The label "${label}" is given twice`, {
        param: `${param}[${i}]`,
      });
    }
    seen.add(label);
  }
  return labels;
}
