/** By media type, for ids without an ending. */
const endings: Record<string, string> = {
  "image/jpeg": ".jpg",
  "image/png": ".png",
  "image/webp": ".webp",
  "image/gif": ".gif",
  "image/avif": ".avif",
  "image/heic": ".heic",
  "image/tiff": ".tif",
  "audio/wav": ".wav",
  "audio/flac": ".flac",
  "audio/ogg": ".ogg",
  "audio/mpeg": ".mp3",
  "audio/aac": ".aac",
  "audio/aiff": ".aiff",
  "audio/basic": ".au",
  "audio/x-caf": ".caf",
  "audio/mp4": ".m4a",
  "audio/webm": ".webm",
};
const maxLength = 120;
/** On Windows devices, with any ending. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/**
 * Names of files in an archive: an item's id with its folders, so that it can be unpacked on every
 * system, into the folder that was chosen and nowhere else; no two are the same, whatever the case.
 */
export function archiveNames(items: readonly { id: string; mediaType: string }[]): string[] {
  const files = new Set<string>();
  const folders = new Set<string>();
  return items.map(({ id, mediaType }) => {
    const parts = id.split(/[\\/]+/).filter((part) => !/^\.*$/.test(part));
    const [last = "item", ...above] = parts.map(safePart).reverse();
    const within = above.reverse();
    // Where a file has the name of a folder, the folder gets another.
    const folder: string[] = [];
    for (const part of within) {
      folder.push(part);
      for (let number = 2; files.has(keyOf(folder)); number++)
        folder[folder.length - 1] = `${part} (${number})`;
    }
    const ending = /\.[A-Za-z0-9]{1,5}$/.exec(last)?.[0];
    const stem = ending === undefined ? last : last.slice(0, -ending.length);
    for (let number = 1; ; number++) {
      const counted = number === 1 ? stem : `${stem} (${number})`;
      const path = [...folder, `${counted}${ending ?? endings[mediaType] ?? ""}`];
      const key = keyOf(path);
      if (files.has(key) || folders.has(key)) continue;
      files.add(key);
      for (const above of folder.keys()) folders.add(keyOf(folder.slice(0, above + 1)));
      return path.join("/");
    }
  });
}

const keyOf = (path: readonly string[]) => path.join("/").normalize().toLowerCase();

function safePart(part: string): string {
  const plain = part
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}<>:"|?*]/gu, "_")
    .replace(reserved, "_$1");
  const ending = /\.[A-Za-z0-9]{1,5}$/.exec(plain)?.[0] ?? "";
  const short =
    [...plain].length > maxLength ? [...plain].slice(0, maxLength).join("") + ending : plain;
  return short.replace(/[. ]+$/, "_");
}
