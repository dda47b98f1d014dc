import { countMissing } from "../encoders/count-missing.js";
import type { Embedding, Encoder, Modality } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { invalidInput } from "../errors.js";
import type { Cost, MediaBudget } from "../media/budget.js";
import type { MediaParts } from "../media/with-decoded.js";
import { embedAlong } from "../search/embed-along.js";
import { embedMedia } from "../search/embed-media.js";
import type { Path } from "../search/find-path.js";
import type { Content } from "./content.js";

export interface EmbedParts extends MediaParts {
  budget: MediaBudget;
}

/** How each modality of a request is embedded; all paths end in one space. */
export type Paths = { [M in Modality]?: Path<M> };

/** A pack's towers, without a bridge. */
export function towerPaths({ encoders, manifest }: LoadedPack): Paths {
  const entries = Object.entries(encoders) as [Modality, Encoder][];
  return Object.fromEntries(
    entries.map(([modality, encoder]) => [
      modality,
      { encoder, projections: [], steps: [`${manifest.id}/${modality}`] },
    ]),
  );
}

export interface Embedded {
  /** At unit length, in the order of the contents. */
  embeddings: Embedding[];
  /** Of all texts together, special tokens included, after truncation; 0 without a tokenizer. */
  tokens: number;
  /** Of the decoders, in the order of the contents; without an entry where there are none. */
  warnings: (readonly string[] | undefined)[];
  /** Of pictures, upright, in pixels, in the order of the contents. */
  sizes: (PictureSize | undefined)[];
}

interface PictureSize {
  width: number;
  height: number;
}

/**
 * Embeds the contents of a request, admitted as one: texts together, files as the budget allows.
 *
 * @param paths  one for each modality among the contents.
 * @param tokenizer  counts the texts' tokens.
 * @throws AppError `overloaded` before anything is read; errors of reading, decoding and encoding.
 */
export function embedContents(
  parts: EmbedParts,
  paths: Paths,
  contents: readonly Content[],
  { signal, tokenizer }: { signal: AbortSignal; tokenizer?: LoadedPack["tokenizer"] },
): Promise<Embedded> {
  const texts = contents.flatMap((one) => (one.modality === "text" ? [one.text] : []));
  const textPath = paths.text;
  const costs = function* (): Generator<Cost> {
    if (texts.length > 0)
      yield { inputs: countMissing(textPath!.encoder, texts.length, (i) => texts[i]) };
    for (const one of contents) if (one.modality !== "text") yield one.cost();
  };
  return parts.budget.request(costs(), signal, async (turn) => {
    const failure = new AbortController();
    const embeddedTexts = texts.length === 0 ? undefined : embedAlong(textPath!, texts, signal);
    let nextText = 0;
    const warnings: (readonly string[] | undefined)[] = [];
    const sizes: (PictureSize | undefined)[] = [];
    const sizeOfPicture = async (decoded: object): Promise<PictureSize | undefined> => {
      if (!("width" in decoded)) return undefined;
      const { width, height } = decoded as PictureSize;
      return { width, height };
    };
    const embedding = contents.map((one, i) => {
      if (one.modality === "text") {
        const position = nextText++;
        return embeddedTexts!.then((all) => all[position].embedding);
      }
      const read = async () => {
        failure.signal.throwIfAborted();
        return one.read();
      };
      const path = paths[one.modality] as Path<"image" | "audio">;
      return embedMedia(parts, turn, { path, read, signal }, sizeOfPicture).then((done) => {
        warnings[i] = done.warnings;
        sizes[i] = done.seen;
        return done.embedded.embedding;
      });
    });
    const embeddings = await allOrFirstFailure(embedding, failure);
    const counted = texts.length === 0 ? [] : ((await tokenizer?.tokenize(texts, signal)) ?? []);
    const tokens = counted.reduce((total, { length }) => total + length, 0);
    return { embeddings, tokens, warnings, sizes };
  });
}

/**
 * After a failure nothing more is started, and running work is awaited: no work outlives the
 * answer.
 */
export async function allOrFirstFailure<T>(
  work: readonly Promise<T>[],
  failure: AbortController,
): Promise<T[]> {
  for (const one of work) one.catch((error) => failure.abort(error));
  await Promise.allSettled(work);
  failure.signal.throwIfAborted();
  return Promise.all(work);
}

/** @throws AppError `invalid_input` for too many inputs. */
export function checkInputCount(count: number, maxInputs: number, param: string): void {
  if (count <= maxInputs) return;
  const message = `Expected at most ${maxInputs} inputs but received ${count} (option maxInputs)`;
  throw invalidInput(param, message);
}
