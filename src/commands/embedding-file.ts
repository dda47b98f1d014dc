import { csvLine } from "../files/csv-line.js";
import { type NewFile, newFile } from "../files/new-file.js";
import { NpyRows } from "./npy-rows.js";
import { CommandError } from "./target.js";

/** An embedding with the name of its input. */
interface EmbeddingRow {
  input: string;
  modality: string;
  model: string;
  space: string;
  embedding: Float32Array;
}

export interface EmbeddingFile {
  write(row: EmbeddingRow): Promise<void>;
  /** Gives the files their names. @returns these names. */
  publish(): Promise<string[]>;
  /** Removes what was written, unless it was published. */
  discard(): Promise<void>;
}

const endings = /\.(npy|csv|jsonl)$/;

export function checkEmbeddingPath(path: string): void {
  if (endings.test(path)) return;
  const message = `--out: expected a file ending in .npy, .csv or .jsonl but received "${path}"`;
  throw new CommandError(message, { code: "invalid_input" });
}

/**
 * Embeddings as rows of float32 in X.npy with what they are in X.jsonl, row by row; as CSV; or as
 * lines of JSON. All of the first two are of one space.
 */
export async function embeddingFile(
  path: string,
  { replace }: { replace: boolean },
): Promise<EmbeddingFile> {
  const file = await newFile(path, { replace });
  if (path.endsWith(".npy")) {
    const names = path.replace(endings, ".jsonl");
    const rest = await newFile(names, { replace }).catch(async (error) => {
      await file.discard();
      throw error;
    });
    return npyFile(file, rest, [path, names]);
  }
  return path.endsWith(".csv") ? csvFile(file, path) : jsonlFile(file, path);
}

function npyFile(file: NewFile, rest: NewFile, paths: string[]): EmbeddingFile {
  const checkSpace = oneSpace();
  let rows: NpyRows | undefined;
  return {
    async write({ embedding, ...others }) {
      checkSpace(others);
      rows ??= await NpyRows.begin(file, embedding.length);
      await rows.append(embedding);
      await rest.write(`${JSON.stringify(others)}\n`);
    },
    async publish() {
      if (rows === undefined) return [];
      await rows.end();
      await rest.publish();
      await file.publish();
      return paths;
    },
    async discard() {
      await file.discard();
      await rest.discard();
    },
  };
}

function csvFile(file: NewFile, path: string): EmbeddingFile {
  const checkSpace = oneSpace();
  let count = 0;
  return {
    async write(row) {
      checkSpace(row);
      const { input, modality, embedding } = row;
      if (count++ === 0) await file.write(csvLine(["input", "modality", ...embedding.keys()]));
      await file.write(csvLine([input, modality, ...embedding]));
    },
    publish: () => published(file, path, count),
    discard: () => file.discard(),
  };
}

function jsonlFile(file: NewFile, path: string): EmbeddingFile {
  let count = 0;
  return {
    async write({ embedding, ...others }) {
      count++;
      await file.write(`${JSON.stringify({ ...others, embedding: [...embedding] })}\n`);
    },
    publish: () => published(file, path, count),
    discard: () => file.discard(),
  };
}

/** A file of no rows would replace one that has some. */
async function published(file: NewFile, path: string, count: number): Promise<string[]> {
  if (count === 0) return [];
  await file.publish();
  return [path];
}

/** Rows of two spaces side by side would be compared one day. */
function oneSpace() {
  let first: { input: string; space: string } | undefined;
  return (row: { input: string; space: string }) => {
    first ??= row;
    if (row.space === first.space) return;
    const message =
      `${row.input} is in the space ${row.space}, but ${first.input} in ${first.space}: ` +
      "choose one --model, or write two files";
    throw new CommandError(message, { code: "invalid_input" });
  };
}
