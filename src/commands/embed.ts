import type { Command } from "commander";
import { embeddingOf } from "../routes/embedding-field.js";
import { eachInput } from "./each-input.js";
import { type EmbedInput, embedInputs, type InputFlags } from "./embed-inputs.js";
import { checkEmbeddingPath, type EmbeddingFile, embeddingFile } from "./embedding-file.js";
import { onTarget } from "./on-target.js";
import { collect } from "./options.js";
import { print } from "./output.js";
import { printWarnings } from "./print-warnings.js";
import { CommandError, type Target } from "./target.js";
import { followLinksFlag } from "./walk-files.js";

/** `crossmodal embed`: embeddings as lines on stdout, or as a file of rows. */
export function embedCommand(program: Command): void {
  const command = program
    .command("embed")
    .description("embed pictures, sounds or texts")
    .argument("[files...]", "pictures, sounds and folders of them; - is standard input")
    .option("--text <text>", "a text to embed; may be repeated", collect)
    .option("--texts <file>", "texts to embed, one a line")
    .option("--list <file>", "list of files to embed, one per line, in the order of the rows")
    .option("--recursive", "also look into subfolders")
    .option(...followLinksFlag)
    .option("--model <id>", "model to ask")
    .option("--head <name>", "embed through the active version of this head of the model")
    .option(
      "--out <file>",
      "write a row for each input: .npy (described in .jsonl beside it), .csv or .jsonl",
    )
    .option("--force", "with --out: replace a file that is there");
  const check = (flags: Record<string, unknown>, paths: string[]) => {
    const { text, texts, list, out } = flags;
    if ([...paths, text, texts, list].every((one) => one === undefined))
      throw wrong("Nothing to embed: give files, --text, --texts or --list");
    if (flags.force && out === undefined) throw wrong("--force is for --out");
    if (out !== undefined) checkEmbeddingPath(out as string);
  };
  onTarget(command, { models: true, check }, async (target, flags, paths: string[]) => {
    const { out } = flags;
    const modalities = flags.model && (await modalitiesOf(target, flags.model));
    const { inputs, leftOut } = await embedInputs(paths, flags as InputFlags, modalities);
    if (leftOut !== undefined) console.error(`left out: ${leftOut}`);
    if (inputs.length === 0) throw wrong("Found nothing to embed there");
    const file = out && (await embeddingFile(out, { replace: flags.force === true }));
    const request = { model: flags.model, head: flags.head };
    await embedAll(target, inputs, { ...request, file, json: flags.json === true });
  });
}

const wrong = (message: string) => new CommandError(message, { code: "invalid_input" });

interface EmbedOptions {
  model?: string;
  head?: string;
  file?: EmbeddingFile;
  json: boolean;
}

async function embedAll(
  target: Target,
  inputs: readonly EmbedInput[],
  { model, head, file, json }: EmbedOptions,
): Promise<void> {
  const encoding_format = "base64"; // exactly float32, a quarter of the size
  let space: string | undefined;
  let count = 0;
  const work = {
    activity: "embedding",
    ask: async (position: number) => {
      const input = inputs[position];
      const { modality, content } =
        "text" in input
          ? { modality: "text" as const, content: input.text }
          : await input.read().then(({ modality, base64 }) => ({ modality, content: base64 }));
      const body = { input: content, modality, model, head, encoding_format } as const;
      return { modality, answer: await target.embeddings(body) };
    },
    report: async ({ modality, answer }: Embedded, position: number) => {
      const { name } = inputs[position];
      const [{ embedding: text, warnings }] = answer.data;
      const embedding = embeddingOf({ embedding_base64: text as string })!;
      const row = { input: name, modality, model: answer.model, space: answer.space };
      space = answer.space;
      if (file !== undefined) await file.write({ ...row, embedding });
      else if (json) await print(JSON.stringify({ ...row, embedding: [...embedding], warnings }));
      else await print(embedding.join(" "));
      count++;
      printWarnings(warnings, name);
    },
  };
  try {
    const failure = await eachInput(
      inputs.map(({ name }) => name),
      work,
    ).catch((error) => {
      if (error instanceof CommandError) return error;
      throw error;
    });
    const files = (await file?.publish()) ?? [];
    if (files.length > 0)
      await print(
        json
          ? JSON.stringify({ space, count, files })
          : `${count} embeddings of ${space} to ${files.join(" and ")}`,
      );
    if (failure !== undefined) throw failure;
  } finally {
    await file?.discard();
  }
}

type Embedded = {
  modality: "text" | "image" | "audio";
  answer: Awaited<ReturnType<Target["embeddings"]>>;
};

/** What is taken from folders. @throws CommandError for a model that is not there. */
async function modalitiesOf(target: Target, id: string): Promise<string[]> {
  return (await target.getModel(id)).modalities;
}
