import { toast } from "./components/toasts.js";
import { modalityOf } from "./media.js";

/** A file with its path within the folder that was chosen or dropped: `holiday/sea.jpg`. */
export interface FoundFile {
  file: File;
  path: string;
}

export const pathOf = (file: File) => file.webkitRelativePath || file.name;

/** Everything that was dropped, with nested folders, in the order of the names. */
export async function droppedFiles(data: DataTransfer): Promise<FoundFile[]> {
  // Entries have to be taken before the first await: the list is emptied when the event ends.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((e) => e !== null);
  const found: FoundFile[] = [];
  for (const entry of entries) await walk(entry, found);
  return found.sort((a, b) => a.path.localeCompare(b.path));
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

/** Files that a model accepts; other files of a folder (.DS_Store, Thumbs.db) are left out. */
export function mediaFiles(found: readonly FoundFile[]): FoundFile[] {
  return found.filter(({ file }) => modalityOf(file) !== undefined);
}
