import { batch, computed, signal } from "@preact/signals";
import type { LabelSetAnswer } from "../../../../src/wire/label-sets.js";
import type { ZeroShotAnswer } from "../../../../src/wire/zero-shot.js";
import { toast } from "../../components/toasts.js";
import { refusal, withoutEmpty } from "../../files.js";
import { fileNameOf, modalityOf } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import type { Example } from "./examples.js";

/** Something to classify. */
export interface Input {
  id: number;
  name: string;
  modality: "image" | "audio" | "text";
  /** Of a text: its bytes. */
  blob: Blob;
  /** For `<img>` and `<audio>`. */
  url: string;
  text?: string;
  example?: Example;
}

/** Labels and how they are scored. Up to three sets are shown side by side. */
export interface LabelSet {
  id: number;
  /** What the server keeps under a name, if this began as that. */
  saved: LabelSetAnswer | undefined;
  labels: readonly string[];
  /** Of labels with sentences of their own: one a line. */
  prompts: Readonly<Record<string, string>>;
  /** One template a line, with {}; empty for the model's. */
  prompt: string;
  multiLabel: boolean;
  /** Of inputs that no label fits, the share that may pass for one; undefined: one always fits. */
  falseAlarmRate: number | undefined;
}

export type Outcome =
  | { state: "working" }
  | { state: "done"; answer: ZeroShotAnswer }
  | { state: "failed"; sentence: string; error: unknown };

export const maxSets = 3;
/** Concurrent requests: the server decodes on its cores, and others use it too. */
const concurrency = 3;
const typingPauseMs = 200;

let lastId = 0;
const newSet = (labels: readonly string[]): LabelSet => ({
  id: ++lastId,
  saved: undefined,
  labels,
  prompts: {},
  prompt: "",
  multiLabel: false,
  falseAlarmRate: undefined,
});

export const inputs = signal<readonly Input[]>([]);
export const selectedId = signal<number>();
export const sets = signal<readonly LabelSet[]>([newSet([])]);
const outcomes = signal<ReadonlyMap<string, Outcome>>(new Map());
/** Seconds into the selected sound; undefined for the whole of it. */
export const cursor = signal<number>();

export const selected = computed(() => inputs.value.find(({ id }) => id === selectedId.value));

export const outcomeOf = (input: Input, set: LabelSet): Outcome | undefined =>
  outcomes.value.get(keyOf(input, set));

export const templatesIn = (prompt: string): string[] =>
  prompt.split("\n").filter((line) => line.trim() !== "");

/** What is asked of the server about an input. */
export function requestOf(input: Input, set: LabelSet) {
  const { falseAlarmRate, saved } = set;
  return {
    ...(saved !== undefined && isAsSaved(set) ? { label_set: saved.name } : labelFields(set)),
    ...(falseAlarmRate !== undefined && { reject: { false_alarm_rate: falseAlarmRate } }),
    ...(input.modality === "audio" && { timeline: true }),
  };
}

/** A set that is not saved as it is, spelt out; its thresholds are for the saved one alone. */
function labelFields({ saved, labels, prompts, prompt, multiLabel, falseAlarmRate }: LabelSet) {
  const templates = templatesIn(prompt);
  const isCalibrated = multiLabel || falseAlarmRate !== undefined;
  return {
    candidate_labels: labels.map((label) => {
      const labelPrompts = templatesIn(prompts[label] ?? "");
      return labelPrompts.length === 0 ? label : { label, prompts: labelPrompts };
    }),
    ...(templates.length > 0
      ? { hypothesis_template: templates }
      : saved?.template_set !== undefined && { template_set: saved.template_set }),
    ...(multiLabel && { multi_label: true }),
    ...(isCalibrated && saved?.calibration !== undefined && { calibration: saved.calibration }),
  };
}

/** Whether nothing was changed since it was saved or chosen. */
export function isAsSaved({ saved, labels, prompts, prompt, multiLabel }: LabelSet): boolean {
  if (saved === undefined) return false;
  const promptsText = (label: string) => templatesIn(prompts[label] ?? "").join("\n");
  return (
    saved.multi_label === multiLabel &&
    (saved.hypothesis_template ?? []).join("\n") === templatesIn(prompt).join("\n") &&
    saved.labels.length === labels.length &&
    saved.labels.every(
      ({ label, prompts: theirs = [] }, i) =>
        label === labels[i] && theirs.join("\n") === promptsText(label),
    )
  );
}

const keyOf = (input: Input, set: LabelSet) =>
  `${input.id} ${set.saved?.version} ${JSON.stringify(requestOf(input, set))}`;

export function select(id: number): void {
  selectedId.value = id;
  cursor.value = undefined;
}

export function changeSet(id: number, change: Partial<LabelSet>): void {
  sets.value = sets.value.map((set) => (set.id === id ? { ...set, ...change } : set));
}

export function addSet(): void {
  const last = sets.value[sets.value.length - 1];
  sets.value = [...sets.value, { ...last, id: ++lastId }];
}

export function removeSet(id: number): void {
  sets.value = sets.value.filter((set) => set.id !== id);
}

/** Replaces what is classified. Files that no model accepts are named and left out. */
export function openFiles(chosen: readonly File[]): void {
  const files = withoutEmpty(chosen);
  const taken = files.flatMap((file) => {
    const modality = modalityOf(file);
    return modality === undefined ? [] : [inputOf(file.name, modality, file)];
  });
  const refused = files.filter((file) => modalityOf(file) === undefined);
  if (refused.length > 0) toast(refusal(refused));
  if (taken.length > 0) open(taken);
}

export function openText(text: string): void {
  const blob = new Blob([text], { type: "text/plain" });
  open([{ ...inputOf("pasted text", "text", blob), text }]);
}

export async function openExample(example: Example, labels = example.labels): Promise<void> {
  const blob = await (await fetch(example.url)).blob();
  const name = fileNameOf(example.path);
  batch(() => {
    sets.value = [newSet(labels)];
    show([{ ...inputOf(name, example.modality, blob), example }]);
  });
}

function inputOf(name: string, modality: Input["modality"], blob: Blob): Input {
  return { id: ++lastId, name, modality, blob, url: URL.createObjectURL(blob) };
}

async function open(chosen: readonly Input[]): Promise<void> {
  const opened = await Promise.all(
    chosen.map(async (input) =>
      input.modality === "text" ? { ...input, text: await input.blob.text() } : input,
    ),
  );
  show(opened);
}

function show(opened: readonly Input[]): void {
  batch(() => {
    for (const { url } of inputs.peek()) URL.revokeObjectURL(url);
    outcomes.value = new Map();
    inputs.value = opened;
    selectedId.value = opened[0]?.id;
    cursor.value = undefined;
  });
}

let running = new AbortController();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Classifies what has no outcome yet, after the typing has paused. */
export function classifyAfterPause(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void classifyAll(), typingPauseMs);
}

async function classifyAll(): Promise<void> {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const wanted = inputs.peek().flatMap((input) =>
    sets.peek().flatMap((set) => {
      const state = outcomes.peek().get(keyOf(input, set))?.state;
      return set.labels.length === 0 || state === "done" ? [] : [{ input, set }];
    }),
  );
  const record = (input: Input, set: LabelSet, outcome: Outcome) => {
    outcomes.value = new Map(outcomes.peek()).set(keyOf(input, set), outcome);
  };
  for (const { input, set } of wanted) record(input, set, { state: "working" });
  const next = wanted.values();
  const work = async () => {
    for (const { input, set } of next) {
      try {
        const content = input.text ?? input.blob;
        const request = { [input.modality]: content, ...requestOf(input, set) };
        const answer = await server.peek().zeroShot(request, { signal });
        record(input, set, { state: "done", answer });
      } catch (error) {
        if (signal.aborted) return;
        record(input, set, { state: "failed", sentence: sentenceOf(error), error });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

export const stopAsking = () => running.abort();

export const closeInputs = () => show([]);
