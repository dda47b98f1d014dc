import { AppError } from "../errors.js";
import type { Encoder, Modality } from "./encoder.js";
import type { LoadedPack } from "./load.js";

/** A pack that has an encoder for each of these modalities, where the types say which they are. */
export type PackWith<M extends readonly Modality[]> = M extends readonly [
  infer First extends Modality,
  ...infer Rest extends readonly Modality[],
]
  ? WithEncoder<First> & PackWith<Rest>
  : LoadedPack;
/** Of "image" or "audio", not known which: a pack that has one or the other. */
type WithEncoder<M extends Modality> = M extends Modality
  ? { encoders: { [K in M]: Encoder<K> } }
  : never;

/** The loaded packs, in the order they were configured. */
export interface Packs {
  list(): readonly LoadedPack[];
  /** The id behind an alias; any other name unchanged. */
  resolve(name: string): string;
  /** Further names of a model. */
  aliasesOf(id: string): string[];
  /** The pack of that id or alias, or the first that understands all `modalities`. */
  find<const M extends readonly Modality[]>(id: string | undefined, ...modalities: M): PackWith<M>;
  encoder<M extends Modality>(
    id: string | undefined,
    modality: M,
  ): { pack: LoadedPack; encoder: Encoder<M> };
}

/** @param aliases  further names of packs: name -> id. */
export function packsOf(
  loaded: readonly LoadedPack[],
  aliases: Readonly<Record<string, string>> = {},
): Packs {
  const resolve = (name: string) => (Object.hasOwn(aliases, name) ? aliases[name] : name);
  const find = (id: string | undefined, ...modalities: readonly Modality[]): LoadedPack => {
    const understands = (pack: LoadedPack) =>
      modalities.every((modality) => pack.encoders[modality] !== undefined);
    const names = (packs: readonly LoadedPack[]) =>
      packs.map(({ manifest }) => manifest.id).join(", ") || "none";
    if (id === undefined) {
      const pack = loaded.find(understands);
      if (pack !== undefined) return pack;
      const message =
        "No loaded model understands " +
        `${modalities.join(" and ")} (loaded: ` +
        `${names(loaded)})`;
      throw new AppError("model_not_found", message, { param: "model" });
    }
    const pack = loaded.find(({ manifest }) => manifest.id === resolve(id));
    if (pack === undefined) {
      throw new AppError(
        "model_not_found",
        `No model "${id}" is loaded; loaded models: ${names(loaded)}`,
        {
          param: "model",
        },
      );
    }
    if (!understands(pack)) {
      const supported = names(loaded.filter(understands));
      const message =
        `The model "${id}" does not understand ` +
        `${modalities.join(" and ")}; these do: ${supported}`;
      throw new AppError("invalid_input", message, { param: "model" });
    }
    return pack;
  };
  return {
    list: () => loaded,
    resolve,
    aliasesOf: (id) => Object.keys(aliases).filter((name) => aliases[name] === id),
    find: find as Packs["find"],
    encoder(id, modality) {
      const pack = find(id, modality);
      return { pack, encoder: pack.encoders[modality] as Encoder<typeof modality> } as never;
    },
  };
}
