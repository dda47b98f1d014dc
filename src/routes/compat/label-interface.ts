import { invalidInput } from "../../errors.js";

const modalities = { Image: "image", Audio: "audio", Text: "text" } as const;

export interface LabelInterface {
  /** Names of the Choices tag and of what it is about. */
  from: string;
  to: string;
  modality: "image" | "audio" | "text";
  /** Of a task's data: `$image` in the interface. */
  field: string;
  labels: string[];
}

interface Tag {
  kind: string;
  attributes: ReadonlyMap<string, string>;
}

/**
 * The question of a Label Studio interface: its first Choices, and the picture, sound or text they
 * refer to. Only tags and their attributes are read.
 *
 * @throws AppError `invalid_input` when it has no Choices, or they are about something else.
 */
export function labelInterface(config: string): LabelInterface {
  const tags = tagsOf(config);
  const choices = tags.find(({ kind }) => kind === "Choices");
  const from = choices?.attributes.get("name");
  const to = choices?.attributes.get("toName");
  if (from === undefined || to === undefined) {
    throw invalidInput("label_config", "Expected <Choices> with name and toName in label_config");
  }
  const tag = tags.find(({ attributes }) => attributes.get("name") === to);
  const modality = modalities[tag?.kind as keyof typeof modalities];
  const field = /^\$([\w.-]+)$/.exec(tag?.attributes.get("value") ?? "")?.[1];
  if (modality === undefined || field === undefined) {
    const message = `Expected "${to}" to be an Image, Audio or Text with a value like $image`;
    throw invalidInput("label_config", message);
  }
  const labels = tags
    .filter(({ kind }) => kind === "Choice")
    .flatMap(({ attributes }) => attributes.get("value") ?? []);
  return { from, to, modality, field, labels };
}

function tagsOf(config: string): Tag[] {
  return [...config.matchAll(/<([A-Z]\w*)((?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*\/?>/g)].map(
    ([, kind, text]) => ({ kind, attributes: attributesOf(text) }),
  );
}

const attributesOf = (text: string) =>
  new Map(
    [...text.matchAll(/([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(
      ([, name, double, single]) => [name, plain(double ?? single)] as const,
    ),
  );

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const plain = (text: string) =>
  text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => entities[name]);
