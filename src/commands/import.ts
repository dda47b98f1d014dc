import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Command } from "commander";
import { toBase64 } from "../routes/embedding-field.js";
import { findCollection } from "./collection.js";
import { addCreateFlags } from "./collections.js";
import { type Interruption, Tally, untilInterrupted } from "./item-tally.js";
import { readLines, wholeLines } from "./ndjson.js";
import { readNpyRows } from "./npy-rows.js";
import { onTarget } from "./on-target.js";
import { print } from "./output.js";
import { progressBar } from "./progress.js";
import { sendItems } from "./send-items.js";
import { stopOnSignal } from "./stop-on-signal.js";
import { CommandError } from "./target.js";
import { fileError } from "./walk-files.js";

/** `crossmodal import`: the output of `export`, or vectors of your own. */
export function importCommand(program: Command): void {
  const command = program
    .command("import")
    .description("read items with their embeddings into a collection")
    .argument("<collection>", "its name")
    .argument("[file]", "NDJSON as export writes it; - is standard input")
    .option("--npy <prefix>", "read PREFIX.npy and PREFIX.jsonl instead: row i belongs to line i")
    .option("--create", "create the collection if it does not exist");
  addCreateFlags(command.optionsGroup("With --create:"));
  onTarget(command, { models: true }, async (target, flags, name: string, file?: string) => {
    if ((file === undefined) === (flags.npy === undefined)) {
      throw new CommandError("Expected either a file or --npy", { code: "invalid_input" });
    }
    const { lines, count } = file === undefined ? await npyLines(flags.npy) : await fileLines(file);
    await findCollection(target, name, flags.create ? flags : undefined);
    const stop = stopOnSignal(
      "stopping once sent items are stored; press Ctrl-C again to stop at once",
    );
    const bar = progressBar(count, `importing into ${name}`, { rate: true });
    const tally = new Tally(name);
    let interruption: Interruption | undefined;
    try {
      interruption = await untilInterrupted(async () => {
        for await (const status of sendItems(target, name, lines, stop)) {
          tally.count(status);
          bar.step();
          if (flags.json) await print(JSON.stringify(status));
        }
      });
    } finally {
      bar.stop();
      stop.release();
      if (file === "-") process.stdin.destroy(); // or a stopped command would wait for it
      if (flags.json) console.error(tally.summary());
      else console.log(tally.summary());
    }
    tally.conclude({ stopped: stop.signal.aborted, interruption });
  });
}

interface Lines {
  /** Pieces that end with a line. */
  lines: AsyncIterable<Uint8Array>;
  /** How many lines, when that is known. */
  count?: number;
}

async function fileLines(file: string): Promise<Lines> {
  if (file === "-") return { lines: wholeLines(process.stdin) };
  await canRead(file);
  return { lines: wholeLines(createReadStream(file, { highWaterMark: 2 ** 18 })) };
}

async function npyLines(prefix: string): Promise<Lines> {
  const { count, rows } = await readNpyRows(`${prefix}.npy`);
  const path = `${prefix}.jsonl`;
  await canRead(path);
  return { count, lines: joined(readLines(createReadStream(path)), rows, prefix) };
}

async function canRead(file: string): Promise<void> {
  const found = await stat(file).catch((error: Error) => error);
  if (found instanceof Error) throw new CommandError(`${file}: ${fileError(found)}`);
  if (found.isDirectory()) throw new CommandError(`${file}: a folder, not a file`);
}

/**
 * Row i and line i as one line. @throws CommandError when their numbers differ.
 */
async function* joined(
  lines: AsyncGenerator<string>,
  rows: AsyncGenerator<Float32Array>,
  prefix: string,
) {
  let number = 0;
  for await (const row of rows) {
    const { done, value } = await lines.next();
    if (done)
      throw new CommandError(
        `${prefix}.jsonl has ${number} lines, fewer than ${prefix}.npy has rows`,
      );
    number++;
    let item: unknown;
    try {
      item = JSON.parse(value);
    } catch (error) {
      throw new CommandError(`${prefix}.jsonl, line ${number}: ${(error as Error).message}`);
    }
    yield Buffer.from(
      `${JSON.stringify({ ...(item as object), embedding_base64: toBase64(row) })}\n`,
    );
  }
  if (!(await lines.next()).done)
    throw new CommandError(`${prefix}.jsonl has more lines than ${prefix}.npy has rows`);
}
