import type { Modality } from "../encoders/encoder.js";
import { invalidInput } from "../errors.js";
import type { Column } from "../heads/training-source.js";
import { type FetchMedia, type MediaField, readMedia } from "../media/read-media.js";

/** One pair or item of a request: one or two of text, image and audio, and optionally a label. */
export type Entry = {
  id?: string;
  text?: string;
  image?: MediaField;
  audio?: MediaField;
  label?: string;
};

export interface Columns {
  a: Column;
  b?: Column;
  labels?: string[];
  /** How reports call the entries, where any of them has an id. */
  ids?: string[];
  /** `media-a.bin`, `media-b.bin`: the concatenated files of a column. */
  files: Record<string, Uint8Array>;
}

/**
 * Entries -> columns: pictures or sounds are side a, texts side b.
 * @param sides  how many modalities each entry has: 2 in pairs, 1 in items.
 * @throws AppError `invalid_input` naming the first entry that is not like the first one.
 */
export async function readColumns(
  entries: readonly Entry[],
  field: string,
  sides: 1 | 2,
  fetchMedia: FetchMedia,
  signal: AbortSignal,
): Promise<Columns> {
  const modalitiesOf = (entry: Entry) =>
    (["image", "audio", "text"] as const).filter((modality) => entry[modality] !== undefined);
  const [a, b] = modalitiesOf(entries[0]);
  for (const [i, entry] of entries.entries()) {
    const entryModalities = modalitiesOf(entry);
    const fits =
      i === 0
        ? entryModalities.length === sides
        : entryModalities.join() === [a, b].slice(0, sides).join();
    if (!fits) {
      const like =
        i === 0
          ? `${sides} of "image", "audio" and "text"`
          : `${[a, b].slice(0, sides).join(" and ")}, as the first has,`;
      const message =
        `Expected ${like} in "${field}[${i}]" but received ` +
        `${entryModalities.join(" and ") || "none"}`;
      throw invalidInput(`${field}[${i}]`, message);
    }
    if ((entry.label === undefined) !== (entries[0].label === undefined)) {
      const message = `Expected a label in each of "${field}" or in none`;
      throw invalidInput(`${field}[${i}].label`, message);
    }
  }
  const files: Columns["files"] = {};
  const column = async (modality: Modality, side: "a" | "b"): Promise<Column> => {
    if (modality === "text")
      return { kind: "texts", modality, texts: entries.map(({ text }) => text as string) };
    const bytes: Uint8Array[] = [];
    for (const [i, entry] of entries.entries()) {
      bytes.push(
        await readMedia(
          entry[modality] as MediaField,
          `${field}[${i}].${modality}`,
          fetchMedia,
          signal,
        ),
      );
    }
    files[`media-${side}.bin`] = Buffer.concat(bytes);
    return { kind: "media", modality, lengths: bytes.map(({ length }) => length) };
  };
  const labels =
    entries[0].label === undefined ? undefined : entries.map(({ label }) => label as string);
  const isNamed = entries.some(({ id }) => id !== undefined);
  return {
    a: await column(a, "a"),
    ...(b && { b: await column(b, "b") }),
    labels,
    ...(isNamed && { ids: entries.map(({ id }, i) => id ?? `${field}[${i}]`) }),
    files,
  };
}
