import { adtsHeaderAt } from "./adts.js";
import { ffmpegFormatOf } from "./ffmpeg-formats.js";
import { flacFrames } from "./flac-frames.js";
import { findFrame } from "./frame-walk.js";
import { mpegHeaderAt } from "./mpeg-header.js";
import { findPage } from "./ogg-pages.js";
import { isWav } from "./riff-chunks.js";

/** Kinds of sound with a decoder here; the others are those of ffmpeg-formats.ts. */
export type AudioFormat = "wav" | "flac" | "ogg" | "mp3" | "aac" | "aiff" | "au" | "caf";

/**
 * How far to search for the start of a stream that was cut in the middle: Ogg's longest page and
 * some more.
 */
const searchBytes = 1 << 17;

export interface Sniffed {
  /** One that is decoded here, or the name of ffmpeg's demuxer for it. */
  format: AudioFormat | { demuxer: string; name: string };
  /** Where it begins. */
  start: number;
}

/**
 * The format of a sound without tags around it (tags.ts), detected from its structure: consecutive
 * frames, pages with a right checksum. Undefined when it is not supported.
 */
export function sniffAudio(bytes: Uint8Array): Sniffed | undefined {
  const atStart = (format: Sniffed["format"]) => ({ format, start: 0 });
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (isWav(bytes)) return atStart("wav");
  if (text(0, 4) === "fLaC") return atStart("flac");
  if (text(0, 4) === "OggS") return atStart("ogg");
  if (text(0, 4) === "FORM" && /^AIF[FC]$/.test(text(8, 12))) return atStart("aiff");
  if (text(0, 4) === ".snd" || text(0, 4) === "dns.") return atStart("au");
  if (text(0, 4) === "caff") return atStart("caf");
  const other = ffmpegFormatOf(bytes);
  if (other !== undefined) return atStart(other);
  return cutStream(bytes);
}

/** Streams without a header that begin anywhere. */
function cutStream(bytes: Uint8Array): Sniffed | undefined {
  const within = Math.min(bytes.length, searchBytes);
  const starts = [
    { format: "aac" as const, start: findFrame(bytes, adtsHeaderAt, 0, { within }) },
    { format: "mp3" as const, start: findFrame(bytes, mpegHeaderAt, 0, { within }) },
    { format: "ogg" as const, start: findPage(bytes, within) },
    { format: "flac" as const, start: findFlac(bytes) },
  ].filter(({ start }) => start >= 0);
  if (starts.length === 0) return undefined;
  return starts.reduce((best, one) => (one.start < best.start ? one : best));
}

/** Two consecutive FLAC frames with right checksums. */
function findFlac(bytes: Uint8Array): number {
  let first = -1;
  let end = -1;
  const head = bytes.subarray(0, 2 * searchBytes);
  for (const event of flacFrames(head, 0)) {
    if (event.kind === "damage") continue;
    const { frame } = event;
    if (frame.start === end) return first;
    first = frame.start;
    end = frame.end;
    if (first > searchBytes) break;
  }
  return -1;
}
