import type { LoadedPack } from "../encoders/load.js";
import { AppError } from "../errors.js";
import type { Bridges } from "../heads/bridge-version.js";
import { headOfCollection } from "../heads/collection-head.js";
import type { HeadStore } from "../heads/head-store.js";
import { headedPack } from "../heads/headed-pack.js";
import type { CollectionSpec } from "../index/vector-store.js";

interface ModelParts {
  packs: { list(): readonly LoadedPack[] };
  bridges: Bridges;
  heads: Pick<HeadStore, "use">;
}

/**
 * The parts with the models and bridges of now, for a job that fills a collection: models that are
 * unloaded meanwhile are freed after it, and a bridge from another one takes nobody's place.
 * @throws AppError `model_not_found` when the collection's model is not loaded, `space_mismatch`
 *   when it embeds into another space by now.
 */
export async function holdModels<P extends ModelParts>(
  parts: P,
  { name, space, options = {} }: CollectionSpec,
): Promise<P> {
  const [packs, bridges] = [[...parts.packs.list()], [...parts.bridges.active()]];
  const held = { ...parts, packs: { list: () => packs }, bridges: { active: () => bridges } };
  const { model } = options;
  const pack = packs.find(({ manifest }) => manifest.id === model);
  if (pack === undefined) {
    const message = `The model "${model}" is not loaded: load it (POST /v1/models), then resume`;
    throw new AppError("model_not_found", message, { param: "model" });
  }
  const head = await headOfCollection(parts.heads, { name, options });
  const found = (head === undefined ? pack : headedPack(pack, head)).space;
  if (found === space) return held;
  const message =
    `The job was made for the space ${space}, but "${model}" now embeds into ${found}: start ` +
    "another job";
  throw new AppError("space_mismatch", message, { param: "model" });
}
