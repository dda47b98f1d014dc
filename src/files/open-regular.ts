import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath } from "node:fs/promises";
import { sep } from "node:path";

/** A path that leads, by a link in it, out of the folders where it has to stay. */
export class LeadsOutside extends Error {
  override name = "LeadsOutside";

  readonly target: string;

  constructor(target: string) {
    super(`it is a link to ${target}, outside the folder`);
    this.target = target;
  }
}

export interface OpenRegularOptions {
  /** Folders, absolute and without links: the file has to be in one of them. */
  within?: readonly string[];
}

/**
 * Opens a regular file in a folder that someone else made, or can change: opening a named pipe
 * would wait for ever, a device never ends, and a link leads anywhere. Whatever is exchanged in the
 * folder meanwhile, the file that is opened is regular and lies within.
 *
 * @throws LeadsOutside, an Error for what is not a regular file, or the file system's error.
 */
export async function openRegular(
  path: string,
  { within }: OpenRegularOptions = {},
): Promise<FileHandle> {
  const real = within === undefined ? path : await realpath(path);
  // Before it is opened: opening a device may already do something
  const found = within === undefined ? undefined : await lstat(real);
  if (found?.isFile() === false) throw notRegular();
  if (within !== undefined && !within.some((folder) => isBelow(real, folder)))
    throw new LeadsOutside(real);
  const notThrough = within === undefined ? 0 : constants.O_NOFOLLOW;
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | notThrough);
  try {
    const opened = await file.stat();
    if (!opened.isFile()) throw notRegular();
    if (found !== undefined) {
      const isSame = found.dev === opened.dev && found.ino === opened.ino;
      if (!isSame || (await placeOf(file, real)) !== real) throw new LeadsOutside(real);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What `use` gives of a file opened by `openRegular`, which is closed after it. */
export async function withRegular<T>(
  path: string,
  use: (file: FileHandle) => Promise<T>,
  options: OpenRegularOptions = {},
): Promise<T> {
  const file = await openRegular(path, options);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

const notRegular = () => new Error("it is not a regular file");

const isBelow = (path: string, folder: string) =>
  path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** Where an open file is: as the system tells (Linux), else what its path leads to now. */
const placeOf = (file: FileHandle, path: string): Promise<string | undefined> =>
  readlink(`/proc/self/fd/${file.fd}`).catch(() => realpath(path).catch(() => undefined));
