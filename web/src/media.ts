import type { Modality } from "../../src/encoders/encoder.js";

const extensions: Record<"image" | "audio" | "text", RegExp> = {
  image: /\.(jpe?g|png|webp|gif|avif|tiff?|heic|heif|bmp|svg)$/i,
  audio:
    /\.(wav|wave|w64|rf64|bw64|aiff?|aifc|au|snd|caf|flac|mp3|ogg|oga|opus|m4a|aac|webm|wma|amr)$/i,
  text: /\.(txt|md)$/i,
};

/** What a file contains, by its type and name; undefined when no model accepts it. */
export function modalityOf({ type, name }: { type: string; name: string }): Modality | undefined {
  for (const modality of ["image", "audio", "text"] as const)
    if (extensions[modality].test(name)) return modality;
  if (type.startsWith("image/")) return "image";
  if (type.startsWith("audio/")) return "audio";
  return type === "text/plain" ? "text" : undefined;
}

export const isVideo = ({ type, name }: { type: string; name: string }) =>
  type.startsWith("video/") || /\.(mp4|m4v|mov|mkv|avi|mpe?g|3gp|wmv|mts)$/i.test(name);

/** The last part of a path, which the id of an item often is. */
export const fileNameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** In everyday words. */
export const modalityNames = { image: "picture", audio: "sound", text: "text" } as const;

/** To three places; what rounds to 0 has no sign. */
export const similarityText = (value: number) => value.toFixed(3).replace(/^-(0\.0+)$/, "$1");

export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} KB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** "17.4 s", "4:05", "3:59:59" */
export function timeText(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const wholeSeconds = Math.floor(seconds);
  const parts = [
    Math.floor(wholeSeconds / 3600),
    Math.floor(wholeSeconds / 60) % 60,
    wholeSeconds % 60,
  ];
  const [hours, minutes, rest] = parts.map((part) => String(part).padStart(2, "0"));
  return hours === "00" ? `${Number(minutes)}:${rest}` : `${Number(hours)}:${minutes}:${rest}`;
}
