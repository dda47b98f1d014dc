import { computed, signal } from "@preact/signals";
import type { Modality } from "../../../../src/encoders/encoder.js";
import { toast } from "../../components/toasts.js";
import { withoutEmpty } from "../../files.js";
import { modalityOf } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import { persistently, status } from "../../status.js";

interface Example {
  id: number;
  /** Its name where the browser keeps it, also after a reload. */
  key: string;
  name: string;
  blob: Blob;
  /** For `<img>` and `<audio>`. */
  url: string;
  /** Of a text: what it says. */
  text?: string;
  /** Unit embedding in the model's space; undefined until the server has made it. */
  embedding?: Float32Array;
  failure?: string;
}

export interface TaughtClass {
  id: number;
  name: string;
  examples: readonly Example[];
}

/** A class as it was before a reload. */
export interface KeptClass {
  name: string;
  examples: readonly Pick<Example, "key" | "name" | "blob" | "text">[];
}

/** The modality of the examples, decided by the first of them. */
export type TaughtModality = Modality;

let lastId = 0;
const newClass = (name: string): TaughtClass => ({ id: ++lastId, name, examples: [] });

export const classes = signal<readonly TaughtClass[]>([newClass("background"), newClass("")]);
export const modality = signal<TaughtModality>();

export const model = computed(() => {
  const kind = modality.value;
  return status.value.models.find(
    ({ modalities }) => kind !== undefined && modalities.includes(kind),
  );
});

/** Every example that can be learnt from, with its class. */
export const usable = computed(() =>
  classes.value.flatMap(({ id, name, examples }) =>
    examples.flatMap((example) =>
      example.embedding === undefined
        ? []
        : [{ example, classId: id, label: name.trim(), embedding: example.embedding }],
    ),
  ),
);

const isPending = ({ embedding, failure }: Example) =>
  embedding === undefined && failure === undefined;

/** What prevents teaching, in words; undefined when nothing does. */
export const obstacle = computed(() => {
  const filled = classes.value.filter(({ examples }) => examples.length > 0);
  if (filled.length < 2) return "Give examples to at least two classes.";
  if (filled.some(({ name }) => name.trim() === "")) return "Give every class a name.";
  const names = filled.map(({ name }) => name.trim());
  if (new Set(names).size < names.length) return "Two classes have the same name.";
  if (filled.some(({ examples }) => examples.some(isPending))) return "Looking at the examples…";
  const withUsable = new Set(usable.value.map(({ classId }) => classId));
  return withUsable.size < 2 ? "At least two classes need examples that can be read." : undefined;
});

/** The class that was added last: its name is to be written. */
export let addedId = 0;

export function addClass(): void {
  const added = newClass("");
  addedId = added.id;
  classes.value = [...classes.value, added];
}

export function removeClass(id: number): void {
  const at = classes.value.findIndex((one) => one.id === id);
  const gone = classes.value[at];
  const kind = modality.value;
  classes.value = classes.value.toSpliced(at, 1);
  forgetModality();
  if (gone.examples.length === 0) return;
  toast(`${gone.name.trim() || "The class"} is removed`, [
    "Undo",
    () => {
      if (!takesBack(kind)) return;
      classes.value = classes.value.toSpliced(at, 0, gone);
      for (const example of gone.examples) if (isPending(example)) void embed(id, example);
    },
  ]);
}

export function renameClass(id: number, name: string): void {
  changeClass(id, (one) => ({ ...one, name }));
}

export function removeExample(classId: number, exampleId: number): void {
  const { examples } = classes.value.find(({ id }) => id === classId)!;
  const at = examples.findIndex(({ id }) => id === exampleId);
  const kind = modality.value;
  // Its address stays valid: it may come back, and the report of what was taught shows it
  changeClass(classId, (one) => ({ ...one, examples: one.examples.toSpliced(at, 1) }));
  forgetModality();
  toast(`${examples[at].name} is removed`, [
    "Undo",
    () => {
      if (!takesBack(kind)) return;
      changeClass(classId, (one) => ({
        ...one,
        examples: one.examples.toSpliced(at, 0, examples[at]),
      }));
      if (isPending(examples[at])) void embed(classId, examples[at]);
    },
  ]);
}

/** The next example decides it anew. */
function forgetModality(): void {
  if (classes.value.every(({ examples }) => examples.length === 0)) modality.value = undefined;
}

/** Whether examples that were removed go with those of now. */
function takesBack(kind: TaughtModality | undefined): boolean {
  modality.value ??= kind;
  if (modality.value === kind) return true;
  toast(`These classes are taught by ${kindNames[modality.value!]} now`);
  return false;
}

/** Adds files to a class and has the server look at them. */
export async function addExamples(classId: number, chosen: readonly File[]): Promise<void> {
  const files = withoutKnown(withoutEmpty(chosen));
  const kinds = files.map((file) => modalityOf(file));
  const isMedia = (kind: Modality | undefined) => kind === "image" || kind === "audio";
  // A note beside pictures does not make them texts
  modality.value ??= kinds.find(isMedia) ?? kinds.find((kind) => kind === "text");
  const kind = modality.value;
  const taken = files.filter((_, i) => kinds[i] !== undefined && kinds[i] === kind);
  const leftOut = files.filter((file) => !taken.includes(file)).map(({ name }) => name);
  if (leftOut.length > 0) {
    const what = kind === undefined ? "pictures, sounds or texts" : kindNames[kind];
    toast(`Left out, since these classes are taught by ${what}: ${leftOut.join(", ")}`);
  }
  const texts = kind === "text" ? await Promise.all(taken.map((file) => file.text())) : [];
  add(
    classId,
    taken.map((file, i) => newExample(file.name, file, texts[i])),
  );
}

/** Adds texts, one a line, to a class that has no pictures or sounds. */
export function addTexts(classId: number, lines: string): void {
  const existing = new Set(
    classes.peek().flatMap(({ examples }) => examples.map(({ text }) => text)),
  );
  const texts = lines.split("\n").map((line) => line.trim());
  const fresh = [...new Set(texts)].filter((text) => text !== "" && !existing.has(text));
  const isTwin = (text: string, i: number) => existing.has(text) || texts.indexOf(text) < i;
  const twins = texts.filter((text, i) => text !== "" && isTwin(text, i));
  if (twins.length > 0) toast(twinsText(twins));
  if (fresh.length === 0) return;
  modality.value ??= "text";
  add(
    classId,
    fresh.map((text) => newExample(text, new Blob([text], { type: "text/plain" }), text)),
  );
}

const kindNames = { image: "pictures", audio: "sounds", text: "texts" };

const newExample = (name: string, blob: Blob, text?: string, key?: string): Example => ({
  id: ++lastId,
  key: key ?? `${performance.timeOrigin}-${lastId}`,
  name,
  blob,
  url: URL.createObjectURL(blob),
  text,
});

function add(classId: number, examples: readonly Example[]): void {
  changeClass(classId, (one) => ({ ...one, examples: [...one.examples, ...examples] }));
  for (const example of examples) void embed(classId, example);
}

/** Puts the classes of before a reload in place of those that are empty. */
export function restoreClasses(kind: TaughtModality, kept: readonly KeptClass[]): void {
  modality.value = kind;
  classes.value = kept.map(({ name }) => newClass(name));
  for (const [i, { examples }] of kept.entries())
    add(
      classes.peek()[i].id,
      examples.map(({ name, blob, text, key }) => newExample(name, blob, text, key)),
    );
  forgetModality();
}

/** An example counts once: beside its twin it would be predicted from itself. */
function withoutKnown(files: readonly File[]): File[] {
  const keyOf = ({ name, size, lastModified }: File) => `${name} ${size} ${lastModified}`;
  const existing = new Set(
    classes
      .peek()
      .flatMap(({ examples }) =>
        examples.map(({ blob }) => (blob instanceof File ? keyOf(blob) : "")),
      ),
  );
  const twins = files.filter((file) => existing.has(keyOf(file)));
  if (twins.length > 0) toast(twinsText(twins.map(({ name }) => name)));
  return files.filter((file) => !twins.includes(file));
}

const twinsText = (names: readonly string[]) =>
  names.length === 1
    ? `Already an example: ${names[0]}`
    : `Already examples: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`;

async function embed(classId: number, { id, blob, text }: Example): Promise<void> {
  const tell = (change: Partial<Example>) =>
    changeClass(classId, (one) => ({
      ...one,
      examples: one.examples.map((other) => (other.id === id ? { ...other, ...change } : other)),
    }));
  try {
    const input = { input: text ?? blob, modality: modality.peek(), model: model.peek()?.id };
    const { data } = await persistently(() => server.peek().embeddings(input, { maxRetries: 8 }));
    tell({ embedding: Float32Array.from(data[0].embedding as number[]) });
  } catch (error) {
    tell({ failure: sentenceOf(error) });
  }
}

function changeClass(id: number, change: (one: TaughtClass) => TaughtClass): void {
  classes.value = classes.value.map((one) => (one.id === id ? change(one) : one));
}
