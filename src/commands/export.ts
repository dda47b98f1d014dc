import type { Command } from "commander";
import { newFile } from "../files/new-file.js";
import { embeddingOf } from "../routes/embedding-field.js";
import type { CollectionAnswer } from "../wire/collections.js";
import { NpyRows } from "./npy-rows.js";
import { onTarget } from "./on-target.js";
import { print, write } from "./output.js";
import { progressBar } from "./progress.js";
import { CommandError, type Target } from "./target.js";

/** `crossmodal export`: a collection as NDJSON, or as .npy with JSONL beside it. */
export function exportCommand(program: Command): void {
  const command = program
    .command("export")
    .description("write a collection to files that import reads")
    .argument("<collection>", "its name")
    .option("--out <file>", "one item per line as NDJSON; - is standard output")
    .option(
      "--npy <prefix>",
      "embeddings as PREFIX.npy [N, dimensions] float32, the rest as PREFIX.jsonl, row by row",
    )
    .option("--base64", "with --out: embeddings as base64 of float32, a fourth of the size")
    .option("--media", "with --out: also the kept pictures and sounds, as base64")
    .option("--force", "replace files that are there");
  onTarget(command, { models: false, stored: true }, async (target, flags, name: string) => {
    if ((flags.out === undefined) === (flags.npy === undefined)) {
      throw new CommandError("Expected either --out or --npy", { code: "invalid_input" });
    }
    if (flags.media === true && flags.out === undefined)
      throw new CommandError("--media goes with --out", { code: "invalid_input" });
    const collection = await target.getCollection(name);
    const bar = progressBar(flags.out === "-" ? 0 : collection.count, `exporting ${name}`, {
      rate: flags.out !== "-",
    });
    let count = 0;
    const step = () => {
      count++;
      bar.step();
    };
    const replace = flags.force === true;
    try {
      if (flags.npy !== undefined)
        await exportNpy(target, collection, flags.npy, { replace, step });
      else
        await exportLines(target, name, flags.out, {
          base64: flags.base64 === true,
          media: flags.media === true,
          replace,
          step,
        });
    } finally {
      bar.stop();
    }
    if (flags.out === "-") return;
    const files =
      flags.npy === undefined ? [flags.out] : [`${flags.npy}.npy`, `${flags.npy}.jsonl`];
    const { space } = collection;
    await print(
      flags.json
        ? JSON.stringify({ name, space, count, files })
        : `${name}: ${count} items to ${files.join(" and ")}`,
    );
  });
}

interface Into {
  /** Whether files that are there may be replaced. */
  replace: boolean;
  step: () => void;
}

async function exportLines(
  target: Target,
  name: string,
  out: string,
  { base64, media, replace, step }: Into & { base64: boolean; media: boolean },
) {
  const file = out === "-" ? undefined : await newFile(out, { replace });
  try {
    const query = {
      encoding_format: base64 ? "base64" : "float",
      media: media ? "true" : "false",
    } as const;
    for await (const item of target.exportItems(name, query)) {
      const line = `${JSON.stringify(item)}\n`;
      await (file === undefined ? write(line) : file.write(line));
      step();
    }
    await file?.publish();
  } finally {
    await file?.discard();
  }
}

async function exportNpy(
  target: Target,
  collection: CollectionAnswer,
  prefix: string,
  { replace, step }: Into,
) {
  const embeddings = await newFile(`${prefix}.npy`, { replace });
  const rest = await newFile(`${prefix}.jsonl`, { replace }).catch(async (error) => {
    await embeddings.discard();
    throw error;
  });
  try {
    const rows = await NpyRows.begin(embeddings, collection.dimensions);
    const items = target.exportItems(collection.name, { encoding_format: "base64" });
    for await (const { embedding_base64, ...others } of items) {
      const embedding = embeddingOf({ embedding_base64 });
      if (embedding === undefined)
        throw new CommandError("The server sent an item without an embedding");
      await rows.append(embedding);
      await rest.write(`${JSON.stringify(others)}\n`);
      step();
    }
    await rows.end();
    await rest.publish();
    await embeddings.publish();
  } finally {
    await embeddings.discard();
    await rest.discard();
  }
}
