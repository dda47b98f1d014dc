import { stat } from "node:fs/promises";
import { type ContentFile, ContentFiles } from "../files/content-files.js";
import type { Log } from "../log.js";

/**
 * Says in the log when files that items refer to are not in the folder: servers of one database
 * need one folder of media.
 * @param some  of the files; not all are looked for.
 */
export async function reportMissingMedia(
  folder: string,
  some: readonly ContentFile[],
  log: Log,
): Promise<void> {
  const files = new ContentFiles(folder);
  let missing = 0;
  for (const { sha256, bytes } of some) {
    const found = await stat(files.pathOf(sha256)).catch(() => undefined);
    if (found?.size !== bytes) missing++;
  }
  if (missing === 0) return;
  const message =
    `${missing} of ${some.length} kept files that were looked for are not in "${folder}": ` +
    "servers of one database need one folder of media, shared by a network file system";
  log.error({ missing, looked_for: some.length, folder }, message);
}
