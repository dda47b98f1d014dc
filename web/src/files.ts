import { toast } from "./components/toasts.js";
import { isVideo, modalityOf } from "./media.js";

/** A file with its path within the folder that was chosen or dropped: `holiday/sea.jpg`. */
export interface FoundFile {
  file: File;
  path: string;
}

/** A file that was changed, moved or deleted after it had been chosen. */
export class UnreadableFile extends Error {
  constructor({ name }: File) {
    super(`${name} was changed, moved or deleted since you chose it. Choose it again.`);
  }
}

/** The first file of a form that cannot be read any more. */
export async function unreadableFile(body: unknown): Promise<UnreadableFile | undefined> {
  const parts = body instanceof FormData ? [...body.values()] : [body];
  for (const part of parts) {
    if (!(part instanceof File)) continue;
    const isReadable = await part
      .slice(0, 1)
      .arrayBuffer()
      .then(
        () => true,
        () => false,
      );
    if (!isReadable) return new UnreadableFile(part);
  }
  return undefined;
}

export const pathOf = (file: File) => file.webkitRelativePath || file.name;

/** In the order of their names, as a person counts: 9.jpg before 10.jpg. */
export const byPath = (found: readonly FoundFile[]): FoundFile[] =>
  [...found].sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));

/** Everything that was dropped, with nested folders, in the order of the names. */
export async function droppedFiles(data: DataTransfer): Promise<FoundFile[]> {
  // Entries have to be taken before the first await: the list is emptied when the event ends.
  const dropped = [...data.items]
    .filter(({ kind }) => kind === "file")
    .map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const found: FoundFile[] = [];
  for (const one of dropped) {
    if (one instanceof File) found.push({ file: one, path: one.name });
    else if (one !== null) await walk(one, found);
  }
  return byPath(found);
}

async function walk(entry: FileSystemEntry, found: FoundFile[]): Promise<void> {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    ).catch(() => undefined);
    if (file !== undefined) found.push({ file, path });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a hundred at a time, and nothing at the end.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    ).catch(() => []);
    if (batch.length === 0) return;
    for (const child of batch) await walk(child, found);
  }
}

/** Files that are not empty; empty ones are named in a toast. */
export function withoutEmpty(files: readonly File[]): File[] {
  const empty = files.filter(({ size }) => size === 0).map(({ name }) => name);
  if (empty.length > 0) toast(`Skipped, empty: ${empty.join(", ")}`);
  return files.filter(({ size }) => size > 0);
}

/** Why files were left out, and what to do with a video. */
export function refusal(files: readonly File[]): string {
  const names = files.slice(0, 3).map(({ name }) => name);
  const more = files.length > 3 ? ` and ${files.length - 3} more` : "";
  const hint = files.some(isVideo) ? ". Of a video, save the sound or a single picture." : "";
  return `Neither a picture nor a sound nor a text: ${names.join(", ")}${more}${hint}`;
}

/** Files that a model accepts; other files of a folder (.DS_Store, Thumbs.db) are left out. */
export function mediaFiles(found: readonly FoundFile[]): FoundFile[] {
  return found.filter(({ file }) => modalityOf(file) !== undefined);
}
