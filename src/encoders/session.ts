import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { currentPriority } from "../priority.js";
import { sparseWarnings } from "../sparse-warnings.js";
import { startWorker } from "../workers/start-worker.js";
import { SupervisedWorker } from "../workers/supervise.js";
import type { PixelTables } from "./preprocess/normalize-pixels.js";
import { cudaAdvice } from "./runtime-reason.js";

// Native libraries read the real environment, which only the main thread can set: when this file is
// imported, before any thread that runs graphs starts.
// ONNX Runtime 1.30 otherwise reports its use to Microsoft, and keeps an id of this machine and the
// reports in the user's cache folder for it (decision 1).
process.env.ORT_DISABLE_TELEMETRY ??= "1";
// With it, CUDA computes float32 in float32; Hopper's and Ampere's default keeps 10 bits of the
// mantissa.
process.env.NVIDIA_TF32_OVERRIDE ??= "0";

/** The element types of this product's graphs. float16 is carried as its 16 bits. */
type TensorType = "float32" | "float16" | "int64" | "int32" | "uint8" | "bool";
type TensorData = Float32Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array;

/** A dense array: `data` in row-major order, `dims` its shape. */
export interface Tensor {
  type: TensorType;
  dims: readonly number[];
  data: TensorData;
}

/**
 * `auto` uses CUDA where it works and gives the reason where it does not; the others are used or
 * refused.
 */
export type Device = "auto" | "cpu" | "webgpu" | "cuda" | `cuda:${number}`;

/** The rows of a tensor, which are joined in the session's thread. */
export interface Rows {
  type: "float32";
  /** [n, ...] */
  dims: readonly number[];
  rows: readonly Float32Array[];
}

/** Pictures of one size, of which the session's thread makes a tensor. */
export interface Pictures {
  type: "pictures";
  /** [n, 3, side, side] */
  dims: readonly number[];
  /** [side, side, 3] each */
  rows: readonly Uint8Array[];
  tables: PixelTables;
}

/** An input of a run. */
export type Feed = Tensor | Rows | Pictures;

export interface SessionOptions {
  /** Path or bytes of an ONNX file. */
  model: string | Uint8Array;
  device?: Device;
  /**
   * Every input and output has a row for each of a batch: batches on CUDA may be padded
   * (batch-buckets.ts).
   */
  isBatched?: boolean;
  /** Threads inside one operator; ONNX Runtime's default is one for each physical core. */
  threads?: number;
}

export interface SessionInfo {
  inputs: { name: string; type: string; dims: readonly (number | string)[] }[];
  outputs: { name: string; type: string; dims: readonly (number | string)[] }[];
  /** The active execution provider. */
  provider: "cpu" | "cuda" | "webgpu";
  /** Why `auto` did not use a GPU, if so. */
  fallbackReason?: string;
  /** ONNX Runtime's version. */
  runtime: string;
}

/**
 * One ONNX graph, loaded in its own worker thread: `run` never blocks the caller's event loop.
 */
export interface Session {
  readonly info: SessionInfo;
  /** Why it cannot run at the moment: its thread ended and is being started again. */
  readonly trouble?: string;
  /**
   * Runs that wait for the thread are taken by the priority of the work that asks (priority.ts).
   * @param feeds    by input name, [n, ...]; their buffers are transferred: do not use them
   *   afterwards. float32 is narrowed to float16, int64 to int32, where the graph asks for that.
   * @param fetches  output names; all outputs when left out. float16 comes back as float32.
   * @param onRun    called with the milliseconds the graph ran, without waiting time.
   */
  run(
    feeds: Record<string, Feed>,
    fetches?: readonly string[],
    onRun?: (ms: number) => void,
  ): Promise<Record<string, Tensor>>;
  /** Waits for current runs, then frees the graph and its thread. */
  close(): Promise<void>;
}

/**
 * @param name  its name in messages.
 * @throws AppError `device_unavailable` when the device cannot be used, `model_corrupt` when the
 *   file is not an ONNX graph.
 */
export async function openSession(
  options: SessionOptions,
  { name = "The model", log }: { name?: string; log?: Log } = {},
): Promise<Session> {
  let info: SessionInfo | undefined;
  const start = async () => {
    const worker = startWorker(new URL("./session-worker.js", import.meta.url));
    try {
      info = await worker.call<SessionInfo>("open", options);
      return worker;
    } catch (error) {
      await worker.close();
      throw error;
    }
  };
  const worker = await SupervisedWorker.start({ name, start, log });
  // A failed batch is run again one by one: without this line it would only be slow.
  const warn = log && sparseWarnings(log);
  return {
    get info() {
      return info as SessionInfo;
    },
    get trouble() {
      return worker.trouble;
    },
    async run(feeds, fetches, onRun) {
      const transfer = new Set<ArrayBuffer>();
      for (const feed of Object.values(feeds)) {
        for (const { buffer, byteLength } of "rows" in feed ? feed.rows : [feed.data])
          if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength)
            transfer.add(buffer);
      }
      try {
        const { outputs, runMs } = await worker.call<{
          outputs: Record<string, Tensor>;
          runMs: number;
        }>("run", { feeds, fetches, priority: currentPriority() }, { transfer: [...transfer] });
        onRun?.(runMs);
        return outputs;
      } catch (error) {
        if (!(error instanceof AppError))
          warn?.({ message: failureOf(name, error as Error, info) });
        throw error;
      }
    },
    close: () => worker.close(),
  };
}

function failureOf(name: string, { message }: Error, info: SessionInfo | undefined): string {
  const advice = info?.provider === "cuda" ? `. To do about it: ${cudaAdvice(message)}` : "";
  return `${name} failed to run: ${message}${advice}`;
}
