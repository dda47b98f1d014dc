import { computed, effect, signal } from "@preact/signals";
import type { ZeroShotAnswer } from "../../../../src/wire/zero-shot.js";
import { toast } from "../../components/toasts.js";
import { withoutEmpty } from "../../files.js";
import { modalityOf } from "../../media.js";
import { navigate, route } from "../../router.js";
import { needsKey, sentenceOf, server } from "../../server.js";
import { type Example, examples } from "./examples.js";

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

/** Labels and how they are asked about. Up to three stand side by side. */
export interface LabelSet {
  id: number;
  labels: readonly string[];
  /** One template a line, with {}; empty for the model's. */
  prompt: string;
  multiLabel: boolean;
  /** Of inputs that no label fits, the share that may pass for one; undefined: one always fits. */
  falseAlarmRate: number | undefined;
}

export type Outcome =
  | { state: "working" }
  | { state: "done"; answer: ZeroShotAnswer }
  | { state: "failed"; sentence: string };

export const maxSets = 3;
/** Requests at a time: the server decodes with its cores, and others use it too. */
const concurrency = 3;
const typingPauseMs = 200;

let lastId = 0;
const newSet = (labels: readonly string[]): LabelSet => ({
  id: ++lastId,
  labels,
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

/** What is asked of the server about an input. */
export function requestOf(input: Input, set: LabelSet) {
  const { labels, prompt, multiLabel, falseAlarmRate } = set;
  const templates = prompt.split("\n").filter((line) => line.trim() !== "");
  return {
    candidate_labels: labels,
    ...(templates.length > 0 && { hypothesis_template: templates }),
    ...(multiLabel && { multi_label: true }),
    ...(falseAlarmRate !== undefined && { reject: { false_alarm_rate: falseAlarmRate } }),
    ...(input.modality === "audio" && { timeline: true }),
  };
}

const keyOf = (input: Input, set: LabelSet) =>
  `${input.id} ${JSON.stringify(requestOf(input, set))}`;

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

/** Replaces what is classified. Files of no kind that a model takes are named and left out. */
export function openFiles(chosen: readonly File[]): void {
  const files = withoutEmpty(chosen);
  const taken = files.flatMap((file) => {
    const modality = modalityOf(file);
    return modality === undefined ? [] : [inputOf(file.name, modality, file)];
  });
  const refused = files.filter((file) => modalityOf(file) === undefined);
  if (refused.length > 0) {
    const names = refused.slice(0, 3).map(({ name }) => name);
    const more = refused.length > 3 ? ` and ${refused.length - 3} more` : "";
    toast(`Neither a picture nor a sound nor a text: ${names.join(", ")}${more}`);
  }
  if (taken.length > 0) open(taken);
}

export function openText(text: string): void {
  const blob = new Blob([text], { type: "text/plain" });
  open([{ ...inputOf("pasted text", "text", blob), text }]);
}

export async function openExample(example: Example, labels = example.labels): Promise<void> {
  const blob = await (await fetch(example.url)).blob();
  const name = example.path.slice(example.path.lastIndexOf("/") + 1);
  sets.value = [newSet(labels)];
  open([{ ...inputOf(name, example.modality, blob), example }]);
}

function inputOf(name: string, modality: Input["modality"], blob: Blob): Input {
  return { id: ++lastId, name, modality, blob, url: URL.createObjectURL(blob) };
}

async function open(given: readonly Input[]): Promise<void> {
  const opened = await Promise.all(
    given.map(async (input) =>
      input.modality === "text" ? { ...input, text: await input.blob.text() } : input,
    ),
  );
  for (const { url } of inputs.peek()) URL.revokeObjectURL(url);
  outcomes.value = new Map();
  inputs.value = opened;
  select(opened[0].id);
}

let running = new AbortController();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Classifies what has no outcome yet, after the typing has paused. */
function schedule(): void {
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
        record(input, set, { state: "failed", sentence: sentenceOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

export const retry = schedule;

/** Runs while the view is shown: asks, and keeps the address up to date. Returns how to stop. */
export function startClassifying(): () => void {
  void restore();
  const stopAsking = effect(() => {
    // A key that was entered asks again.
    if (inputs.value.length > 0 && sets.value.length > 0 && !needsKey.value) schedule();
  });
  const stopLinking = effect(() => {
    const { example } = selected.value ?? {};
    const [{ labels, prompt }] = sets.value;
    const isOwn = labels.join() !== (example?.labels ?? []).join();
    const params = { example: example?.id, labels: isOwn ? labels.join("|") : undefined, prompt };
    navigate("classify", [], { params, replace: true });
  });
  return () => {
    stopAsking();
    stopLinking();
    running.abort();
  };
}

/** What the address names, unless it is open already. */
async function restore(): Promise<void> {
  const { params } = route.peek();
  const labels = params.get("labels")?.split("|").filter(Boolean);
  const example = examples.find(({ id }) => id === params.get("example"));
  if (example === undefined) {
    if (labels !== undefined) changeSet(sets.peek()[0].id, { labels });
  } else if (selected.peek()?.example !== example) {
    await openExample(example, labels).catch((error) => toast(sentenceOf(error)));
  }
  const prompt = params.get("prompt");
  if (prompt) changeSet(sets.peek()[0].id, { prompt });
}
