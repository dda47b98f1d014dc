/** Endings that people try, and what they are. */
export const unsupportedMedia: Record<string, string> = {
  ".svg": "SVG drawings",
  ".pdf": "PDF files",
  ".mov": "videos",
  ".mkv": "videos",
  ".avi": "videos",
};

/** Why the bytes of a file that is neither picture nor sound are not accepted. */
export function whyNoMedia(size: number, ending: string): string {
  if (size === 0) return "the file is empty";
  if (/^\.(ndjson|jsonl)$/.test(ending))
    return "add items as lines from standard input: crossmodal add NAME - < FILE";
  const kind = unsupportedMedia[ending];
  return kind === undefined
    ? "not a picture or sound in a supported format"
    : `${kind} are not supported`;
}
