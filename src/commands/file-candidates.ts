import {
  BadFile,
  type FileItem,
  type FileItemOptions,
  type LeftOut,
  readFileItem,
} from "./file-item.js";
import type { Target } from "./target.js";
import { type FoundFile, walkFiles } from "./walk-files.js";

/** A file to add, with its id. */
export type Candidate = FoundFile & { id: string; storedHash?: string };

/** Ids in one request. */
export const idsPerQuestion = 256;
/** Files read ahead of the one being sent. */
const readAhead = 4;
/** Larger files are sent one by one as forms: a line holds its file as base64, in one string. */
export const maxLineFileBytes = 16 * 2 ** 20;

/** The files under `roots` with the ids that they will have. */
export async function* findCandidates(
  roots: readonly string[],
  { idPrefix, ...walk }: { recursive: boolean; followLinks?: boolean; idPrefix: string },
): AsyncGenerator<Candidate> {
  // Only several folders can produce one id twice; a single folder's ids need not be remembered.
  const seen = roots.length > 1 ? new Set<string>() : undefined;
  for (const root of roots) {
    for await (const file of walkFiles(root, { ...walk, eachOnce: true })) {
      const id = idPrefix + file.name;
      const error = seen?.has(id)
        ? `another file of this run already has the id "${id}"; add the folders one by one with ` +
          "--id-prefix"
        : file.error;
      seen?.add(id);
      yield { ...file, id, error };
    }
  }
}

/** The stored content hash of each id, looked up in batches. */
export async function* withStoredHashes(
  target: Target,
  collection: string,
  candidates: AsyncIterable<Candidate>,
): AsyncGenerator<Candidate> {
  let group: Candidate[] = [];
  const ask = async () => {
    const ids = group.filter(({ error }) => error === undefined).map(({ id }) => id);
    const { hashes } = await target.itemHashes(collection, ids);
    const withHashes = group.map((candidate) => ({
      ...candidate,
      storedHash: hashes[candidate.id],
    }));
    group = [];
    return withHashes;
  };
  for await (const candidate of candidates) {
    if (group.push(candidate) >= idsPerQuestion) yield* await ask();
  }
  yield* await ask();
}

interface ReadCandidate {
  candidate: Candidate;
  item: FileItem | LeftOut | BadFile;
}

/** Candidates in order with their contents, read a few ahead. */
export async function* readAheadOf(
  candidates: AsyncIterable<Candidate>,
  options: FileItemOptions,
): AsyncGenerator<ReadCandidate> {
  const reading: Promise<ReadCandidate>[] = [];
  const read = async (candidate: Candidate): Promise<ReadCandidate> => {
    const item = await readFileItem(candidate, options).catch((error) => {
      if (error instanceof BadFile) return error;
      throw error;
    });
    return { candidate, item };
  };
  for await (const candidate of candidates) {
    // A large file is not held together with others
    const alone = candidate.size > maxLineFileBytes;
    while (reading.length > (alone ? 0 : readAhead)) yield (await reading.shift()) as ReadCandidate;
    reading.push(read(candidate));
    if (alone) yield (await reading.shift()) as ReadCandidate;
  }
  while (reading.length > 0) yield (await reading.shift()) as ReadCandidate;
}
