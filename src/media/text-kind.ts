import { sniffBytes, sniffModality } from "./sniff.js";

const sniffedCharacters = Math.ceil((sniffBytes * 4) / 3);

/** Of the base64 of a file; a text that happens to be base64 does not start like a file. */
export function base64Kind(text: string): "image" | "audio" | undefined {
  if (!/^[A-Za-z0-9+/_-]{16,}/.test(text)) return undefined;
  return sniffModality(Buffer.from(text.slice(0, sniffedCharacters), "base64"));
}

/**
 * Of a data URI: by its type; where that says nothing (browsers write application/octet-stream for
 * files that they do not know), by how its bytes begin. Undefined for any other text.
 */
export function dataUriKind(text: string): "image" | "audio" | undefined {
  // Schemes and media types are compared without case.
  const type = /^data:([^;,]{0,100})/i.exec(text)?.[1].trim().toLowerCase();
  if (type?.startsWith("image/")) return "image";
  if (type?.startsWith("audio/")) return "audio";
  if (type !== "" && type !== "application/octet-stream") return undefined;
  const [head] = /^data:[^,]{0,200};\s*base64\s*,\s*/i.exec(text) ?? [];
  return head === undefined
    ? undefined
    : base64Kind(text.slice(head.length, head.length + sniffedCharacters).replace(/\s+/g, ""));
}
