import { randomBytes } from "node:crypto";
import { makeZip, predictLength } from "client-zip";
import { AppError } from "../errors.js";
import type { MediaReference, StoredItem } from "../index/item.js";
import { archiveNames } from "./archive-names.js";

interface Entry {
  name: string;
  media: MediaReference;
  lastModified: Date;
}

/** Files of a collection that were chosen, to be read as one zip file. */
export interface MediaArchive {
  id: string;
  collection: string;
  entries: Entry[];
  /** Of the zip file. */
  bytes: number;
  /** Chosen items of which no file is kept. */
  withoutMedia: number;
}

export const maxArchiveItems = 20_000;
const maxRemembered = 8;

/** What was chosen lately. */
export class MediaArchives {
  readonly #archives = new Map<string, MediaArchive>();

  create(
    collection: string,
    items: readonly Pick<StoredItem, "id" | "media" | "addedAt">[],
  ): MediaArchive {
    const kept = items.flatMap(({ id, media, addedAt }) => (media ? [{ id, media, addedAt }] : []));
    const names = archiveNames(kept.map(({ id, media }) => ({ id, ...media })));
    const entries = kept.map(({ media, addedAt }, i) => ({
      name: names[i],
      media,
      lastModified: new Date(addedAt ?? 0),
    }));
    const archive: MediaArchive = {
      id: randomBytes(12).toString("base64url"),
      collection,
      entries,
      bytes: Number(predictLength(entries.map(({ name, media }) => ({ name, size: media.bytes })))),
      withoutMedia: items.length - kept.length,
    };
    this.#archives.set(archive.id, archive);
    const [oldest] = this.#archives.keys();
    if (this.#archives.size > maxRemembered) this.#archives.delete(oldest);
    return archive;
  }

  /** @throws AppError `not_found` for one that is no longer remembered, or of others. */
  get(collection: string, id: string): MediaArchive {
    const archive = this.#archives.get(id);
    if (archive?.collection === collection) return archive;
    throw new AppError(
      "not_found",
      `The archive "${id}" is no longer available: choose the items again`,
      { param: "archive" },
    );
  }
}

/** The zip file, a file after the other; stored as they are, since media is compressed already. */
export async function* zipContents(
  { entries }: MediaArchive,
  read: (media: MediaReference) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  async function* files() {
    for (const { name, media, lastModified } of entries)
      yield { name, lastModified, size: media.bytes, input: read(media) };
  }
  yield* makeZip(files()) as unknown as AsyncIterable<Uint8Array>;
}
