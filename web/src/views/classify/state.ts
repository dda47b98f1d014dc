import { batch, computed, signal } from "@preact/signals";
import type { ZeroShotAnswer } from "../../../../src/wire/zero-shot.js";
import { toast } from "../../components/toasts.js";
import { refusal, withoutEmpty } from "../../files.js";
import { fileNameOf, modalityOf } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import type { Example } from "./examples.js";
import { type Input, keyOf, type LabelSet, requestOf } from "./request.js";

export type Outcome =
  | { state: "working" }
  | { state: "done"; answer: ZeroShotAnswer }
  | { state: "failed"; sentence: string; error: unknown };

export const maxSets = 3;
/** Concurrent requests: the server decodes on its cores, and others use it too. */
const concurrency = 3;
const typingPauseMs = 200;

let lastId = 0;
const newSet = (labels: readonly string[], start?: LabelSet["start"]): LabelSet => ({
  id: ++lastId,
  start,
  head: undefined,
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

export function select(id: number): void {
  selectedId.value = id;
  cursor.value = undefined;
}

export function changeSet(id: number, change: Partial<LabelSet>): void {
  const start = change.labels === undefined ? {} : { start: undefined };
  sets.value = sets.value.map((set) => (set.id === id ? { ...set, ...start, ...change } : set));
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
    sets.value = [newSet(labels, labels === example.labels ? "example" : undefined)];
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
  batch(() => {
    // Labels that nobody wrote were for something else
    for (const { id, start } of sets.peek()) if (start !== undefined) changeSet(id, { labels: [] });
    show(opened);
  });
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
