import { computed, signal } from "@preact/signals";
import { toast } from "../../components/toasts.js";
import { withoutEmpty } from "../../files.js";
import { modalityOf } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import { status } from "../../status.js";

export interface Example {
  id: number;
  name: string;
  blob: Blob;
  /** For `<img>` and `<audio>`. */
  url: string;
  /** Unit embedding in the model's space; undefined until the server has made it. */
  embedding?: Float32Array;
  failure?: string;
}

export interface TaughtClass {
  id: number;
  name: string;
  examples: readonly Example[];
}

/** The modality of the examples, decided by the first of them. */
export type TaughtModality = "image" | "audio";

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

/** What prevents teaching, in words; undefined when nothing does. */
export const obstacle = computed(() => {
  const filled = classes.value.filter(({ examples }) => examples.length > 0);
  if (filled.length < 2) return "Give examples to at least two classes.";
  if (filled.some(({ name }) => name.trim() === "")) return "Give every class a name.";
  const names = filled.map(({ name }) => name.trim());
  if (new Set(names).size < names.length) return "Two classes have the same name.";
  const isPending = (example: Example) =>
    example.embedding === undefined && example.failure === undefined;
  if (filled.some(({ examples }) => examples.some(isPending))) return "Looking at the examples…";
  const withUsable = new Set(usable.value.map(({ classId }) => classId));
  return withUsable.size < 2 ? "At least two classes need examples that can be read." : undefined;
});

export function addClass(): void {
  classes.value = [...classes.value, newClass("")];
}

export function removeClass(id: number): void {
  classes.value = classes.value.filter((one) => one.id !== id);
  if (classes.value.every(({ examples }) => examples.length === 0)) modality.value = undefined;
}

export function renameClass(id: number, name: string): void {
  changeClass(id, (one) => ({ ...one, name }));
}

export function removeExample(classId: number, exampleId: number): void {
  changeClass(classId, (one) => {
    const gone = one.examples.find(({ id }) => id === exampleId);
    if (gone !== undefined) URL.revokeObjectURL(gone.url);
    return { ...one, examples: one.examples.filter(({ id }) => id !== exampleId) };
  });
  if (classes.value.every(({ examples }) => examples.length === 0)) modality.value = undefined;
}

/** Adds files to a class and has the server look at them. */
export function addExamples(classId: number, chosen: readonly File[]): void {
  const files = withoutKnown(withoutEmpty(chosen));
  const kinds = files.map((file) => modalityOf(file));
  const first = kinds.find((kind): kind is TaughtModality => kind === "image" || kind === "audio");
  modality.value ??= first;
  const kind = modality.value;
  const taken = files.filter((_, i) => kinds[i] === kind);
  const leftOut = files.filter((_, i) => kinds[i] !== kind).map(({ name }) => name);
  if (leftOut.length > 0) {
    const what = kind === "audio" ? "sounds" : kind === "image" ? "pictures" : "pictures or sounds";
    toast(`Left out, since these classes are taught by ${what}: ${leftOut.join(", ")}`);
  }
  const examples = taken.map(
    (file): Example => ({
      id: ++lastId,
      name: file.name,
      blob: file,
      url: URL.createObjectURL(file),
    }),
  );
  changeClass(classId, (one) => ({ ...one, examples: [...one.examples, ...examples] }));
  for (const example of examples) void embed(classId, example);
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
  const fresh = files.filter((file) => !existing.has(keyOf(file)));
  const twins = files.length - fresh.length;
  if (twins > 0) toast(twins === 1 ? "It is an example already" : `${twins} are examples already`);
  return fresh;
}

async function embed(classId: number, { id, blob }: Example): Promise<void> {
  const tell = (change: Partial<Example>) =>
    changeClass(classId, (one) => ({
      ...one,
      examples: one.examples.map((other) => (other.id === id ? { ...other, ...change } : other)),
    }));
  try {
    const { data } = await server
      .peek()
      .embeddings(
        { input: blob, modality: modality.peek(), model: model.peek()?.id },
        { maxRetries: 8 },
      );
    tell({ embedding: Float32Array.from(data[0].embedding as number[]) });
  } catch (error) {
    tell({ failure: sentenceOf(error) });
  }
}

function changeClass(id: number, change: (one: TaughtClass) => TaughtClass): void {
  classes.value = classes.value.map((one) => (one.id === id ? change(one) : one));
}
