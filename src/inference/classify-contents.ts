import type { Embedding, Encoder, Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { findPack } from "../heads/headed-pack.js";
import type { Cost } from "../media/budget.js";
import { soundSize } from "../media/sound-size.js";
import { withDecoded } from "../media/with-decoded.js";
import { missingPrompts } from "../zero-shot/class-embeddings.js";
import { type Classified, classifyWindows, labelScorer } from "../zero-shot/classifier.js";
import type { Content, MediaContent } from "./content.js";
import { allOrFirstFailure } from "./embed-contents.js";
import {
  type Answerer,
  type ClassifyParts,
  type LabelPlan,
  type LabelQuery,
  planLabels,
} from "./label-plan.js";

/** The scored content: an input, or an embedding in the answering pack's space. */
export type Scorable = Content | { modality: Modality; embedding: Embedding };

/** Scores of one content, best first, and its decoder's warnings. */
export interface Scored extends Classified {
  warnings?: readonly string[];
}

export interface ClassifiedContents extends Answerer {
  calibration?: LabelPlan["calibration"];
  /** In the order of the contents. */
  scored: Scored[];
  /** Of the whole answer. */
  warnings?: string[];
}

/**
 * Scores each content against the labels, admitted as one request.
 *
 * @param contents  at least one.
 * @throws AppError naming the fields as `POST /v1/zero-shot` has them.
 */
export async function classifyContents(
  parts: ClassifyParts,
  query: LabelQuery,
  contents: readonly Content[],
  signal: AbortSignal,
): Promise<ClassifiedContents> {
  const modalities = new Set(contents.map(({ modality }) => modality));
  const answerer = await findPack(parts, query, ...modalities, "text");
  return classifyWith(parts, answerer, { query, contents, signal });
}

/** The same with a given pack. */
export async function classifyWith(
  parts: ClassifyParts,
  answerer: Answerer,
  request: { query: LabelQuery; contents: readonly Scorable[]; signal: AbortSignal },
): Promise<ClassifiedContents> {
  const { query, contents, signal } = request;
  const plans = new Map<Modality, LabelPlan>();
  for (const { modality } of contents)
    if (!plans.has(modality))
      plans.set(modality, await planLabels(parts, answerer, query, { modality, signal }));
  const costs = function* (): Generator<Cost> {
    for (const content of contents) yield costOf(content);
    for (const plan of plans.values()) yield* labelCosts(plan);
  };
  const scored = await parts.budget.request(costs(), signal, (turn) => {
    const failure = new AbortController();
    const scorers = new Map(
      [...plans].map(([modality, { scorer, labels, options }]) => {
        const making = labelScorer(scorer, labels, options);
        making.catch(() => undefined); // awaited with each content
        return [modality, making];
      }),
    );
    const scoring = contents.map(async (content): Promise<Scored> => {
      let warnings: readonly string[] | undefined;
      const onWarnings = (found: readonly string[]) => {
        warnings = found;
      };
      const { modality } = content;
      const embed = async () => {
        if ("embedding" in content) return content.embedding;
        const encoder = answerer.pack.encoders[modality] as Encoder;
        if (content.modality === "text") return (await encoder.encode([content.text], signal))[0];
        const read = () => {
          failure.signal.throwIfAborted();
          return content.read();
        };
        const source = { modality: content.modality, read, onWarnings };
        return withDecoded(parts, turn, source, async (decoded) => {
          const [embedding] = await encoder.encode([decoded], signal);
          return embedding;
        });
      };
      const [embedding, score] = await Promise.all([embed(), scorers.get(modality)!]);
      return { ...score(embedding), warnings };
    });
    return allOrFirstFailure(scoring, failure);
  });
  const [{ calibration }] = plans.values();
  const warnings = new Set([...plans.values()].flatMap((plan) => plan.warnings));
  return { ...answerer, calibration, scored, warnings: listOrNone([...warnings]) };
}

/** Scores of a sound as a whole and of each of its windows. */
export async function classifyTimeline(
  parts: ClassifyParts,
  query: LabelQuery,
  sound: MediaContent,
  signal: AbortSignal,
): Promise<Omit<ClassifiedContents, "scored"> & Scored & { timeline: WindowScores[] }> {
  const answerer = await findPack(parts, query, "audio", "text");
  const plan = await planLabels(parts, answerer, query, { modality: "audio", signal });
  const { pack } = answerer;
  const { scorer, labels, options } = plan;
  const { hopSeconds } = pack.manifest.towers.audio!.preprocess;
  const shown = Math.min(query.topK ?? labels.length, labels.length);
  const characters = labels.reduce((sum, label) => sum + label.length, 0);
  const bytesPerWindow = shown * (bytesPerScore + characters / labels.length);
  const checkWindows = (windows: number) => {
    if (windows * bytesPerWindow > parts.config.maxAnswerBytes) throw longTimeline(windows, shown);
  };
  const read = async () => {
    const bytes = await sound.read();
    const size = soundSize(bytes);
    if (size !== undefined) checkWindows(size.frames / size.sampleRateHz / hopSeconds);
    return bytes;
  };
  let warnings: readonly string[] | undefined;
  const onWarnings = (found: readonly string[]) => {
    warnings = found;
  };
  const answer = await parts.budget.request(
    [costOf(sound), ...labelCosts(plan)],
    signal,
    (turn) => {
      const embed = () =>
        withDecoded(parts, turn, { modality: "audio", read, onWarnings }, async (decoded) => {
          const encoded = await pack.encodeWindows!(decoded, signal);
          checkWindows(encoded.windows.length);
          return encoded;
        });
      return classifyWindows(scorer, embed, labels, options);
    },
  );
  const all = listOrNone([...(warnings ?? []), ...plan.warnings]);
  return { ...answerer, calibration: plan.calibration, ...answer, warnings: all };
}

type WindowScores = Awaited<ReturnType<typeof classifyWindows>>["timeline"][number];

const listOrNone = (warnings: string[]) => (warnings.length === 0 ? undefined : warnings);

function costOf(content: Scorable): Cost {
  if ("embedding" in content) return { inputs: 0.1 };
  return content.modality === "text" ? { inputs: 1 } : content.cost();
}

function* labelCosts({ scorer, labels, options }: LabelPlan): Generator<Cost> {
  if (scorer.examples?.usesTexts !== false)
    yield { inputs: missingPrompts(scorer.textEncoder, labels, options) };
}

/** Of a score in an answer, besides its label. */
const bytesPerScore = 48;

function longTimeline(windows: number, labels: number): AppError {
  const message =
    `The timeline of about ${Math.ceil(windows)} windows with ${labels} scores each is larger ` +
    "than " +
    'an answer may be (option maxAnswerBytes); lower "top_k", or send a ' +
    "part of the sound";
  return new AppError("too_large", message, { param: "timeline" });
}
