import { AppError } from "../../errors.js";
import { startWorker, type WorkerHandle } from "../../workers/start-worker.js";
import type { TextPreprocess } from "../manifest.js";
import { RecentRows } from "./recent-rows.js";
import type { TokenRow } from "./tokenizer.js";

type Method = "tokenize" | "decode";

/** Texts -> token ids, in a thread that can be stopped. */
export interface Tokenizer {
  /** @returns the ids of each text, special tokens included, after truncation. */
  tokenize(texts: readonly string[], signal?: AbortSignal): Promise<number[][]>;
  /** @returns the text of each row. */
  decode(rows: readonly TokenRow[], signal?: AbortSignal): Promise<string[]>;
  /** Does not wait. */
  close(): Promise<void>;
}

/**
 * Longest time for one text. The slowest legitimate one, 8192 letters outside the vocabulary, takes
 * .2 s.
 */
const textLimitMs = 5000;
/** Texts of one call after which other calls get a turn. */
const textsPerTurn = 32;

/**
 * Starts a thread with the tokenizer of a model. A `tokenizer.json` brings its own regular
 * expressions, and one that tries exponentially many ways takes years for 40 letters
 * (docs/decisions/0051-tokenizers-in-threads.md): then the thread is killed, the text fails with
 * `inference_failed`, and the next text gets a new thread.
 *
 * @param path  a verified `tokenizer.json`.
 * @param name  the model, for messages.
 * @throws AppError `model_corrupt` when the file cannot be used.
 */
export async function startTokenizer(
  path: string,
  spec: TextPreprocess,
  { name, limitMs = textLimitMs }: { name: string; limitMs?: number },
): Promise<Tokenizer> {
  const start = async (): Promise<WorkerHandle> => {
    const worker = startWorker(new URL("./tokenizer-worker.js", import.meta.url));
    try {
      await worker.call("open", { path, spec });
      return worker;
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  };
  let thread: Promise<WorkerHandle> | undefined = start();
  await thread;
  let lastTurn: Promise<unknown> = Promise.resolve();
  let closed = false;

  const run = async <O>(method: Method, inputs: readonly unknown[]): Promise<O[]> => {
    if (closed) throw new AppError("cancelled", "The server is shutting down");
    thread ??= start();
    const current = thread;
    let isHanging = false;
    let watch: NodeJS.Timeout | undefined;
    try {
      const worker = await current;
      const done = new Int32Array(new SharedArrayBuffer(4));
      let seen = 0;
      watch = setInterval(() => {
        const finished = Atomics.load(done, 0);
        isHanging = finished === seen;
        seen = finished;
        if (isHanging) void worker.terminate();
      }, limitMs);
      return await worker.call<O[]>(method, { inputs, done });
    } catch (error) {
      const hasEnded = await current.then(({ ended }) => ended !== undefined).catch(() => true);
      if (hasEnded && thread === current) thread = undefined;
      if (closed || !isHanging) throw error;
      const message = `The tokenizer of "${name}" did not finish a text within ${limitMs / 1000} s`;
      throw new AppError("inference_failed", message, { cause: error });
    } finally {
      clearInterval(watch);
    }
  };

  /** One call at a time: when a text hangs, no other is lost with its thread. */
  const inTurn = <O>(method: Method, inputs: readonly unknown[], signal?: AbortSignal) => {
    const turn = lastTurn.then(() => {
      signal?.throwIfAborted();
      return run<O>(method, inputs);
    });
    lastTurn = turn.catch(() => undefined);
    return turn;
  };

  const byTurns = async <O>(method: Method, inputs: readonly unknown[], signal?: AbortSignal) => {
    const outputs: O[] = [];
    for (let i = 0; i < inputs.length; i += textsPerTurn)
      outputs.push(...(await inTurn<O>(method, inputs.slice(i, i + textsPerTurn), signal)));
    return outputs;
  };

  const recent = new RecentRows();
  return {
    async tokenize(texts, signal) {
      const rows = new Map(texts.map((text) => [text, recent.get(text)]));
      const missing = [...rows.keys()].filter((text) => rows.get(text) === undefined);
      for (const [i, row] of (await byTurns<number[]>("tokenize", missing, signal)).entries()) {
        rows.set(missing[i], row);
        recent.add(missing[i], row);
      }
      return texts.map((text) => rows.get(text)!);
    },
    decode: (rows, signal) => byTurns<string>("decode", rows, signal),
    async close() {
      closed = true;
      await (await thread?.catch(() => undefined))?.terminate();
    },
  };
}
