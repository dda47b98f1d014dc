import { z } from "zod";
import { AppError } from "../../errors.js";
import type { HubClient } from "./hub-client.js";
import { readAtMost } from "./read-at-most.js";
import { HubTrouble, withRetries } from "./retry.js";

/**
 * The families' names of the learned multiplier and bias in a checkpoint; the multiplier is stored
 * as its logarithm.
 */
const names = { scale: ["logit_scale", "logit_scale_a"], bias: ["logit_bias"] };

/** A safetensors header of a model with ten thousand tensors is about 1 MB. */
const maxHeaderBytes = 16 * 2 ** 20;

/**
 * The learned logit scale and bias of a checkpoint, which the public ONNX exports leave out: a few
 * bytes from the middle of its `model.safetensors`, fetched by Range.
 *
 * CLAP has one scale for each direction; `logit_scale_a` is the one that scores a sound against
 * texts.
 *
 * @returns undefined when the checkpoint has no such file or tensors, or the hub does not serve
 *   ranges of it.
 */
export async function readLogit(
  client: HubClient,
  { repo, revision }: { repo: string; revision: string },
  signal?: AbortSignal,
): Promise<{ logitScale: number; logitBias?: number } | undefined> {
  const path = `/${repo}/resolve/${encodeURIComponent(revision)}/model.safetensors`;
  const range = (from: number, length: number) =>
    withRetries(() => bytesOf(client, path, { from, length, signal }), { ...client.retry, signal });
  try {
    const length = Number((await range(0, 8)).readBigUInt64LE());
    if (length > maxHeaderBytes) return undefined;
    const found = Header.safeParse(JSON.parse((await range(8, length)).toString("utf8")));
    if (!found.success) return undefined;
    const header = found.data;
    const scalar = async (candidates: readonly string[]) => {
      const name = candidates.find((candidate) => header[candidate]?.dtype === "F32");
      const [from, to] = header[name ?? ""]?.data_offsets ?? [0, 0];
      return to - from === 4 ? (await range(8 + length + from, 4)).readFloatLE() : undefined;
    };
    const logScale = await scalar(names.scale);
    const logitScale = Math.exp(logScale ?? Number.NaN);
    if (!Number.isFinite(logitScale)) return undefined;
    return { logitScale, logitBias: await scalar(names.bias) };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AppError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const offset = z.int().nonnegative();
/** Of each tensor; `__metadata__` has neither. */
const Entry = z.object({
  dtype: z.string().optional(),
  data_offsets: z.tuple([offset, offset]).optional(),
});
const Header = z.record(z.string(), Entry);

interface Span {
  from: number;
  length: number;
  signal?: AbortSignal;
}

async function bytesOf(
  client: HubClient,
  path: string,
  { from, length, signal }: Span,
): Promise<Buffer> {
  const answer = await client.get(path, {
    headers: { range: `bytes=${from}-${from + length - 1}` },
    signal,
  });
  if (answer.status !== 206) {
    answer.body.destroy(); // not the whole checkpoint for four bytes
    throw new AppError(
      "hub_failed",
      `${client.settings.endpoint}${path} does not support range requests`,
    );
  }
  const url = `${client.settings.endpoint}${path}`;
  const expected = `bytes ${from}-${from + length - 1}/`;
  const received = String(answer.headers["content-range"] ?? "");
  // Four bytes from another position would be a number too.
  if (!received.startsWith(expected)) {
    answer.body.destroy();
    throw new AppError("hub_failed", `${url} answered with "${received}" instead of ${expected}…`);
  }
  const bytes = await readAtMost(answer.body, length).catch((error) => {
    signal?.throwIfAborted();
    throw new HubTrouble(`${url} broke off`, { cause: error });
  });
  if (bytes === undefined)
    throw new AppError(
      "hub_failed",
      `${url} answered with more than the ${length} requested bytes`,
    );
  if (bytes.length !== length) throw new HubTrouble(`${url} ended early`);
  return bytes;
}
