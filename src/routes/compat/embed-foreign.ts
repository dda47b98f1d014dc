import type { Embedding, Modality } from "../../encoders/encoder.js";
import type { LoadedPack } from "../../encoders/load.js";
import { type Cut, cutTo } from "../../encoders/shorter.js";
import { AppError, invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import {
  checkInputCount,
  type Embedded,
  embedContents,
  type Paths,
  towerPaths,
} from "../../inference/embed-contents.js";
import { meanVector, norm, normalize } from "../../math/vector.js";
import { findPath } from "../../search/find-path.js";
import type { Services } from "../../services.js";
import type { ForeignContext } from "./shape.js";
import { warnInHeader } from "./warnings-header.js";

export interface ForeignEmbedding {
  pack: LoadedPack;
  /** At unit length, in the order of the inputs. */
  embeddings: Embedding[];
  tokens: number;
  /** Of pictures, upright, in pixels. */
  sizes: Embedded["sizes"];
}

interface Inputs {
  model?: string;
  /** Of the answer: the model's, or a shorter length that its manifest allows. */
  dimensions?: number;
  /** The field that holds the inputs, for messages. */
  param: string;
}

/**
 * Embeds contents of any modality into one space: modalities that the model lacks come over a
 * bridge.
 */
export async function embedForeign(
  services: Services,
  inputs: Inputs,
  contents: readonly Content[],
  c: ForeignContext,
): Promise<ForeignEmbedding> {
  const { cut, ...embedded } = await embedWhole(services, inputs, contents, c);
  return { ...embedded, embeddings: cut(embedded.embeddings) };
}

async function embedWhole(
  services: Services,
  { model, dimensions, param }: Inputs,
  contents: readonly Content[],
  c: ForeignContext,
): Promise<ForeignEmbedding & Pick<Cut, "cut">> {
  if (contents.length === 0) throw invalidInput(param, `"${param}" is empty`);
  checkInputCount(contents.length, services.config.maxInputs, param);
  const modalities = [...new Set(contents.map(({ modality }) => modality))];
  const pack = packFor(services, model, modalities);
  const { cut } = cutTo(pack, dimensions);
  const paths = pathsInto(services, pack, modalities);
  const { tokenizer } = pack;
  const { embeddings, tokens, sizes, warnings } = await embedContents(services, paths, contents, {
    signal: c.get("signal"),
    tokenizer,
  });
  warnInHeader(c, contents, warnings);
  return { pack, embeddings, tokens, sizes, cut };
}

/**
 * One embedding for each group of contents: of several the mean of their unit embeddings, at unit
 * length again. Shorter ones are cut from it.
 * @throws AppError `invalid_input` when they cancel each other out.
 */
export async function embedGroups(
  services: Services,
  inputs: Inputs,
  groups: readonly (readonly Content[])[],
  c: ForeignContext,
): Promise<ForeignEmbedding> {
  const empty = groups.findIndex((group) => group.length === 0);
  if (empty >= 0) throw invalidInput(`${inputs.param}[${empty}]`, "An input has no content");
  const { cut, ...embedded } = await embedWhole(services, inputs, groups.flat(), c);
  let next = 0;
  const embeddings = groups.map((group, i) => {
    const parts = embedded.embeddings.slice(next, next + group.length);
    next += group.length;
    if (parts.length === 1) return parts[0];
    const mean = meanVector(parts);
    if (norm(mean) > 1e-6) return normalize(mean);
    throw invalidInput(`${inputs.param}[${i}]`, "The parts of an input cancel each other out");
  });
  return { ...embedded, embeddings: cut(embeddings) };
}

/**
 * By default the first that understands all, else the first that the others can reach over bridges.
 */
function packFor(
  services: Services,
  model: string | undefined,
  modalities: readonly Modality[],
): LoadedPack {
  const { packs } = services;
  if (model !== undefined) return packs.find(model);
  try {
    return packs.find(undefined, ...modalities);
  } catch (error) {
    const reached = packs.list().find((pack) => {
      try {
        return pathsInto(services, pack, modalities);
      } catch {
        return false;
      }
    });
    if (reached === undefined) throw error;
    return reached;
  }
}

function pathsInto(
  { packs, bridges }: Services,
  pack: LoadedPack,
  modalities: readonly Modality[],
): Paths {
  const direct = towerPaths(pack);
  const parts = { packs: packs.list(), bridges: bridges.active() };
  const { id } = pack.manifest;
  return Object.fromEntries(
    modalities.map((modality) => {
      if (direct[modality] !== undefined) return [modality, direct[modality]];
      try {
        return [modality, findPath(parts, modality, { name: id, space: pack.space, model: id })];
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const message =
          `The model "${id}" does not understand ${modality}, and no bridge leads from a model ` +
          "that does into its space";
        throw new AppError("no_path", message, { param: "model", cause: error });
      }
    }),
  );
}
