import type { CalibrationStore } from "../calibrations/calibration-store.js";
import type { Encoder, Modality } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import type { Packs } from "../encoders/packs.js";
import { AppError, invalidInput } from "../errors.js";
import { examplesOf } from "../heads/examples.js";
import type { HeadStore } from "../heads/head-store.js";
import type { UsableHead } from "../heads/head-version.js";
import { findPack } from "../heads/headed-pack.js";
import type { Cost } from "../media/budget.js";
import { soundSize } from "../media/sound-size.js";
import { withDecoded } from "../media/with-decoded.js";
import { missingPrompts } from "../zero-shot/class-embeddings.js";
import {
  type Classified,
  type ClassifyOptions,
  classifyEmbedded,
  classifyWindows,
  type LabelPack,
} from "../zero-shot/classifier.js";
import { chooseTemplates } from "../zero-shot/prompts.js";
import type { ReferenceBank } from "../zero-shot/reference-bank.js";
import { checkLabels } from "./check-labels.js";
import type { Content, MediaContent } from "./content.js";
import { allOrFirstFailure, type EmbedParts } from "./embed-contents.js";
import { referenceOf } from "./reference-of.js";

export interface ClassifyParts extends EmbedParts {
  packs: Packs;
  heads: Pick<HeadStore, "use">;
  referenceBank: ReferenceBank;
  calibrations: Pick<CalibrationStore, "use">;
  config: EmbedParts["config"] & { maxLabels: number; maxAnswerBytes: number };
}

/** What to score contents against, and how. */
export interface LabelQuery {
  /** Only a head made from examples has labels of its own. */
  labels?: readonly string[];
  model?: string;
  /** A head of the model: its active version. */
  head?: string;
  templates?: readonly string[];
  templateSet?: string;
  multiLabel?: boolean;
  topK?: number;
  threshold?: number;
  /** Tells inputs that none of the labels fits, but for this share of them. */
  falseAlarmRate?: number;
  /** Name of a calibration: its background, and its probabilities for `multiLabel`. */
  calibration?: string;
}

/** Scores of one content, best first, and what its decoder warned of. */
export interface Scored extends Classified {
  warnings?: readonly string[];
}

/** Who answered. */
interface Answerer {
  pack: LoadedPack;
  head?: UsableHead;
  calibration?: { name: string; version: number };
}

/**
 * Scores each content against the labels, admitted as one request.
 *
 * @param contents  at least one, all of one modality.
 * @returns `scored` in the order of the contents.
 * @throws AppError naming the fields as `POST /v1/zero-shot` has them.
 */
export async function classifyContents(
  parts: ClassifyParts,
  query: LabelQuery,
  contents: readonly Content[],
  signal: AbortSignal,
): Promise<Answerer & { scored: Scored[] }> {
  const { modality } = contents[0];
  const plan = await planOf(parts, query, modality, signal);
  const { pack, head, scorer, labels, options } = plan;
  const encoder = pack.encoders[modality] as Encoder;
  const scored = await parts.budget.request(costsOf(plan, contents), signal, (turn) => {
    const failure = new AbortController();
    const scoring = contents.map(async (content): Promise<Scored> => {
      let warnings: readonly string[] | undefined;
      const onWarnings = (found: readonly string[]) => {
        warnings = found;
      };
      const embed = async () => {
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
      return { ...(await classifyEmbedded(scorer, embed, labels, options)), warnings };
    });
    return allOrFirstFailure(scoring, failure);
  });
  return { pack, head, calibration: plan.calibration, scored };
}

/** Scores of a sound as a whole and of each of its windows. */
export async function classifyTimeline(
  parts: ClassifyParts,
  query: LabelQuery,
  sound: MediaContent,
  signal: AbortSignal,
): Promise<Answerer & Scored & { timeline: WindowScores[] }> {
  const plan = await planOf(parts, query, "audio", signal);
  const { pack, head, scorer, labels, options } = plan;
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
  const answer = await parts.budget.request(costsOf(plan, [sound]), signal, (turn) => {
    const embed = () =>
      withDecoded(parts, turn, { modality: "audio", read, onWarnings }, async (decoded) => {
        const encoded = await pack.encodeWindows!(decoded, signal);
        checkWindows(encoded.windows.length);
        return encoded;
      });
    return classifyWindows(scorer, embed, labels, options);
  });
  return { pack, head, calibration: plan.calibration, ...answer, warnings };
}

type WindowScores = Awaited<ReturnType<typeof classifyWindows>>["timeline"][number];

interface Plan extends Answerer {
  labels: readonly string[];
  options: ClassifyOptions;
  scorer: LabelPack;
}

async function planOf(
  parts: ClassifyParts,
  query: LabelQuery,
  modality: Modality,
  signal: AbortSignal,
): Promise<Plan> {
  const { pack, head } = await findPack(parts, query, modality, "text");
  const labels = checkLabels(query.labels ?? head?.fewShot?.labels, parts.config.maxLabels);
  const { multiLabel, topK, threshold } = query;
  if (multiLabel === true && head?.fewShot !== undefined) {
    const message = `The head "${head.name}" tells its labels from each other: multi_label cannot go with it`;
    throw invalidInput("multi_label", message);
  }
  const templates = chooseTemplates(
    { templates: query.templates, setName: query.templateSet },
    pack.manifest.promptTemplates[modality],
    modality,
  );
  const { logitScale, logitBias, activation } = pack.manifest;
  const examples = head?.fewShot && examplesOf(head, logitScale, modality);
  const { calibration, reference } = await referenceOf(parts, query, pack, modality, templates);
  const textEncoder = pack.encoders.text!;
  return {
    pack,
    head,
    calibration,
    labels,
    options: {
      templates,
      multiLabel,
      topK,
      threshold,
      reference,
      falseAlarmRate: query.falseAlarmRate,
      signal,
    },
    scorer: { textEncoder, logitScale, logitBias, activation, examples },
  };
}

function* costsOf(
  { scorer, labels, options }: Plan,
  contents: readonly Content[],
): Generator<Cost> {
  for (const content of contents)
    yield content.modality === "text" ? { inputs: 1 } : content.cost();
  if (scorer.examples?.usesTexts !== false)
    yield { inputs: missingPrompts(scorer.textEncoder, labels, options.templates) };
}

/** Of a score in an answer, besides its label. */
const bytesPerScore = 48;

function longTimeline(windows: number, labels: number): AppError {
  const message =
    `The timeline of about ${Math.ceil(windows)} windows with ${labels} scores each is larger than ` +
    'an answer may be (option maxAnswerBytes); ask for a smaller "top_k", or send a part of the sound';
  return new AppError("too_large", message, { param: "timeline" });
}
