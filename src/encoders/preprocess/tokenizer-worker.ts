import { readFile } from "node:fs/promises";
import { serveWorker } from "../../workers/serve-worker.js";
import type { TextPreprocess } from "../manifest.js";
import { loadTokenizer, type TextTokenizer, type TokenRow } from "./tokenizer.js";

// The thread of tokenizer-thread.ts.

let tokenizer: TextTokenizer | undefined;

serveWorker({
  async open({ path, spec }: { path: string; spec: TextPreprocess }): Promise<void> {
    tokenizer = loadTokenizer(await readFile(path, "utf8"), spec);
  },

  /** @param done  [1] in shared memory: counts the inputs that are finished. */
  tokenize: ({ inputs, done }: Call<string>) => each(inputs, done, opened().idsOf),
  decode: ({ inputs, done }: Call<TokenRow>) => each(inputs, done, opened().decode),
});

interface Call<I> {
  inputs: readonly I[];
  done: Int32Array;
}

function opened(): TextTokenizer {
  if (tokenizer === undefined) throw new TypeError("run was called before open");
  return tokenizer;
}

function each<I, O>(inputs: readonly I[], done: Int32Array, work: (input: I) => O): O[] {
  return inputs.map((input) => {
    const output = work(input);
    Atomics.add(done, 0, 1);
    return output;
  });
}
