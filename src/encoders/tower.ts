import { AppError } from "../errors.js";
import { normalize } from "../math/vector.js";
import { recordStage } from "../stages.js";
import type { Embedding } from "./encoder.js";
import type { Feed, Session, Tensor } from "./session.js";

/** A loaded graph and the space of its embeddings: shared by the three encoders. */
export interface Tower {
  modelId: string;
  space: string;
  dimensions: number;
  session: Session;
  /** Names of the output that holds the embedding, in order of preference. */
  outputs: readonly string[];
  /**
   * Batches are run one input at a time: the graph takes no others, or would mix them (see
   * dynamic-quantization.ts).
   */
  oneByOne: boolean;
}

/**
 * Runs a batch and returns its rows at unit length.
 *
 * @param offered  inputs by name, [n, ...]; only those the graph lists are fed.
 * @throws AppError `inference_failed` when the graph fails or its output is not N finite vectors of
 *   the right size.
 */
export async function runTower(
  tower: Tower,
  offered: Record<string, Feed>,
  n: number,
): Promise<Embedding[]> {
  if (!tower.oneByOne || n === 1) return runRows(tower, offered, n);
  const embeddings: Embedding[] = [];
  for (let i = 0; i < n; i++) {
    const row = Object.entries(offered).map(([name, tensor]) => [name, rowOf(tensor, i)]);
    embeddings.push(...(await runRows(tower, Object.fromEntries(row), 1)));
  }
  return embeddings;
}

/** Row `i` as a batch of one; that of a tensor is copied. */
function rowOf(feed: Feed, i: number): Feed {
  const dims = [1, ...feed.dims.slice(1)];
  if (feed.type === "pictures") return { ...feed, dims, rows: [feed.rows[i]] };
  if ("rows" in feed) return { ...feed, dims, rows: [feed.rows[i]] };
  const size = feed.data.length / feed.dims[0];
  return { ...feed, dims, data: feed.data.slice(i * size, (i + 1) * size) };
}

async function runRows(
  tower: Tower,
  offered: Record<string, Feed>,
  n: number,
): Promise<Embedding[]> {
  const { info } = tower.session;
  const feeds: Record<string, Feed> = {};
  for (const { name } of info.inputs) {
    const feed = offered[name];
    if (feed === undefined)
      throw new AppError(
        "inference_failed",
        `${tower.modelId} expects an input "${name}" that is not supported`,
      );
    feeds[name] = feed;
  }
  const output = tower.outputs.find((name) =>
    info.outputs.some((candidate) => candidate.name === name),
  );
  if (output === undefined) {
    const found = info.outputs.map(({ name }) => name).join(", ");
    throw new AppError(
      "inference_failed",
      `${tower.modelId} should give ${tower.outputs.join(" or ")} but gives ${found}`,
    );
  }
  const start = performance.now();
  let runMs = 0;
  let result: Tensor;
  try {
    const results = await tower.session.run(feeds, [output], (ms) => {
      runMs = ms;
    });
    result = results[output];
  } catch (error) {
    if (error instanceof AppError && error.code === "unavailable") throw error;
    throw new AppError("inference_failed", `${tower.modelId} failed while running`, {
      cause: error,
    });
  }
  const waitedMs = Math.max(0, performance.now() - start - runMs);
  recordStage({ stage: "queue", startMs: start, ms: waitedMs });
  recordStage({
    stage: "inference",
    startMs: start + waitedMs,
    ms: runMs,
    model: tower.modelId,
    batchSize: n,
  });
  const values = result.data as Float32Array;
  if (values.length !== n * tower.dimensions) {
    throw new AppError(
      "inference_failed",
      `${tower.modelId} should give ${n} x ${tower.dimensions} numbers but gave ` +
        `[${result.dims.join(", ")}]`,
    );
  }
  return Array.from({ length: n }, (_, i) => {
    try {
      return normalize(values.subarray(i * tower.dimensions, (i + 1) * tower.dimensions));
    } catch (error) {
      throw new AppError("inference_failed", `${tower.modelId} gave a vector without direction`, {
        cause: error,
      });
    }
  });
}
