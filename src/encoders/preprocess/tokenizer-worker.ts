import { readFile } from "node:fs/promises";
import { serveWorker } from "../../workers/serve-worker.js";
import type { TextPreprocess } from "../manifest.js";
import { loadTokenizer, type TextTokenizer } from "./tokenizer.js";

// The thread of tokenizer-thread.ts.

let tokenizer: TextTokenizer | undefined;

serveWorker({
  async open({ path, spec }: { path: string; spec: TextPreprocess }): Promise<void> {
    tokenizer = loadTokenizer(await readFile(path, "utf8"), spec);
  },

  /** @param done  [1] in shared memory: counts the texts that are finished. */
  tokenize({ texts, done }: { texts: readonly string[]; done: Int32Array }): number[][] {
    if (tokenizer === undefined) throw new TypeError("tokenize was called before open");
    const { idsOf } = tokenizer;
    return texts.map((text) => {
      const ids = idsOf(text);
      Atomics.add(done, 0, 1);
      return ids;
    });
  },
});
