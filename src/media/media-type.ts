import { type AudioFormat, sniffAudio } from "./audio/sniff-audio.js";
import { withoutTags } from "./audio/tags.js";
import { type ImageFormat, sniffBytes, sniffFormat } from "./sniff.js";

const sounds: Record<AudioFormat, string> = {
  wav: "audio/wav",
  flac: "audio/flac",
  ogg: "audio/ogg",
  mp3: "audio/mpeg",
  aac: "audio/aac",
  aiff: "audio/aiff",
  au: "audio/basic",
  caf: "audio/x-caf",
};
/** By the demuxer of ffmpeg that reads it; the others no browser plays. */
const otherSounds: Record<string, string> = {
  mov: "audio/mp4",
  asf: "audio/x-ms-wma",
  amr: "audio/amr",
  ac3: "audio/ac3",
};

const unknown = "application/octet-stream";
const webm = "audio/webm";
const matroska = "audio/x-matroska";
const pictures: Record<ImageFormat, string> = {
  jpeg: "image/jpeg",
  png: "image/png",
  webp: "image/webp",
  gif: "image/gif",
  avif: "image/avif",
  heic: "image/heic",
  tiff: "image/tiff",
};

/** Every media type that a picture or sound can have here. */
export const mediaTypes: readonly string[] = [
  ...Object.values(pictures),
  ...Object.values(sounds),
  ...Object.values(otherSounds),
  webm,
  matroska,
  unknown,
];

/** The media type of a picture or sound by its content. */
export function mediaTypeOf(file: Uint8Array): string {
  const format = sniffFormat(file.subarray(0, sniffBytes));
  if (format === undefined) return unknown;
  if (format !== "sound") return pictures[format];
  const bytes = withoutTags(file).subarray(0, sniffBytes);
  const sound = sniffAudio(bytes)?.format;
  if (sound === undefined) return unknown;
  if (typeof sound === "string") return sounds[sound];
  if (sound.demuxer !== "matroska") return otherSounds[sound.demuxer] ?? unknown;
  const isWebm = Buffer.from(bytes.subarray(0, 100)).includes("webm");
  return isWebm ? webm : matroska;
}
