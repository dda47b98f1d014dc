import type { EncodeWindows } from "../encoders/audio-encoder.js";
import type { Encoder, Modality } from "../encoders/encoder.js";
import { applyHead, type ProjectionHead } from "../encoders/head.js";
import type { LoadedPack } from "../encoders/load.js";
import type { Packs } from "../encoders/packs.js";
import { withHead } from "../encoders/with-head.js";
import { AppError } from "../errors.js";
import type { HeadStore } from "./head-store.js";
import { headedModalities, type UsableHead } from "./head-version.js";

/**
 * The requested pack, with its `head` if it names one: `calls` is its active version, `calls@2` the
 * second.
 * @throws AppError as `Packs.find` and `HeadStore.use`; `invalid_input` when the head belongs to
 *   another model.
 */
export async function findPack(
  { packs, heads }: { packs: Packs; heads: Pick<HeadStore, "use"> },
  request: { model?: string; head?: string },
  ...modalities: Modality[]
): Promise<{ pack: LoadedPack; head?: UsableHead }> {
  if (request.head === undefined) return { pack: packs.find(request.model, ...modalities) };
  const [, name, version] = /^(.+)@([1-9]\d{0,8})$/.exec(request.head) ?? ["", request.head];
  const head = await heads.use(name, version === undefined ? undefined : Number(version));
  if (request.model !== undefined && packs.resolve(request.model) !== head.model) {
    const message =
      `The head "${head.name}" belongs to the model ` +
      `"${head.model}", not to "${request.model}"`;
    throw new AppError("invalid_input", message, { param: "head" });
  }
  const pack = packs.find(head.model);
  const supported =
    head.kind === "projection"
      ? headedModalities(head)
      : pack.towers.map(({ modality }) => modality);
  const other = modalities.find((modality) => !supported.includes(modality));
  if (other !== undefined) {
    const message = `The head "${head.name}" is for ${supported.join(" and ")}, not for ${other}`;
    throw new AppError("invalid_input", message, { param: "head" });
  }
  return { pack: headedPack(pack, head), head };
}

/** The head of an answer, for the wire. */
export const headNamed = (head: UsableHead | undefined) =>
  head === undefined ? {} : { head: { name: head.name, version: head.version } };

/**
 * Pack -> pack: both sides of the head projected, everything in the head's space; towers of other
 * modalities are dropped. A cache or probe changes no embedding and returns the pack unchanged.
 *
 * @throws AppError `space_mismatch` when the head was made for other weights of the model.
 */
export function headedPack(pack: LoadedPack, head: UsableHead): LoadedPack {
  if (head.fromSpace !== pack.space) {
    const message =
      `Version ${head.version} of the head "${head.name}" takes embeddings of ` +
      `${head.fromSpace}, but "${pack.manifest.id}" embeds into ${pack.space}: train it again`;
    throw new AppError("space_mismatch", message, { param: "head" });
  }
  if (head.kind !== "projection") return pack;
  const { a, b } = head.sides;
  const encoders: LoadedPack["encoders"] = {};
  for (const [modality, projection] of [
    [a, head.a],
    [b, head.b],
  ] as const) {
    if (modality === undefined || pack.encoders[modality] === undefined) continue;
    const encoder = pack.encoders[modality] as Encoder;
    encoders[modality] = project(encoder, projection, head) as never;
  }
  const audioHead = a === "audio" ? head.a : head.b;
  return {
    ...pack,
    space: head.space,
    manifest: {
      ...pack.manifest,
      dimensions: head.dimensions,
      shorterDimensions: undefined, // no head is trained for them
      ...scoring(pack, head),
    },
    encoders,
    encodeWindows: pack.encodeWindows && projectWindows(pack.encodeWindows, audioHead),
    dispose: async () => {}, // the towers are the pack's own
  };
}

/**
 * How the projected cosines become scores: by the logit scale that training learned. A sigmoid pack
 * keeps its scale and bias unless both were learned, by the sigmoid loss: one without the other
 * gives no probability.
 */
function scoring({ manifest }: LoadedPack, { logits }: UsableHead) {
  if (logits === undefined) return {};
  if (manifest.activation === "softmax") return { logitScale: logits.scale };
  return logits.loss === "sigmoid" ? { logitScale: logits.scale, logitBias: logits.bias } : {};
}

function project(
  encoder: Encoder,
  head: ProjectionHead | undefined,
  { model, space }: UsableHead,
): Encoder {
  const target = { modelId: model, space };
  return head === undefined ? { ...encoder, ...target } : withHead(encoder, head, target);
}

function projectWindows(
  encodeWindows: EncodeWindows,
  head: ProjectionHead | undefined,
): EncodeWindows {
  if (head === undefined) return encodeWindows;
  return async (sound, signal) => {
    const { embedding, windows } = await encodeWindows(sound, signal);
    const [clip, ...parts] = applyHead(head, [
      embedding,
      ...windows.map((window) => window.embedding),
    ]);
    return {
      embedding: clip,
      windows: windows.map((window, i) => ({ ...window, embedding: parts[i] })),
    };
  };
}
