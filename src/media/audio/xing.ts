import type { MpegHeader } from "./mpeg-header.js";

/** The info in the first frame of many MP3 files. */
export interface MpegInfo {
  /** Frames after it; undefined if not given. */
  frames?: number;
  /** Samples that the encoder added before and after the sound. */
  delay?: number;
  padding?: number;
}

/** Delay of Layer III decoders in samples. */
export const decoderDelay = 529;

/**
 * Reads a Xing, Info or VBRI frame; undefined for a frame of sound. Sources:
 * gabriel.mp3-tech.org/mp3infotag.html, codeproject.com (VBRI).
 */
export function mpegInfo(
  bytes: Uint8Array,
  start: number,
  header: MpegHeader,
): MpegInfo | undefined {
  if (header.layer !== 3) return undefined;
  const view = new DataView(
    bytes.buffer,
    bytes.byteOffset + start,
    Math.min(header.length, bytes.length - start),
  );
  const text = (at: number, length: number) =>
    String.fromCharCode(
      ...bytes.subarray(start + at, start + Math.min(at + length, header.length)),
    );
  if (text(36, 4) === "VBRI" && view.byteLength >= 54) return { frames: view.getUint32(50) };
  const body = 4 + header.sideBytes;
  const at = [body, body + 2].find((place) => /^(Xing|Info)$/.test(text(place, 4)));
  if (at === undefined || at + 8 > view.byteLength) return undefined;
  const flags = view.getUint32(at + 4);
  const info: MpegInfo = {};
  if ((flags & 1) !== 0 && at + 12 <= view.byteLength) info.frames = view.getUint32(at + 8);
  // Frames, bytes, a table of contents, a quality: each is optional.
  const lame =
    at +
    8 +
    (flags & 1 ? 4 : 0) +
    (flags & 2 ? 4 : 0) +
    (flags & 4 ? 100 : 0) +
    (flags & 8 ? 4 : 0);
  if (/^[\x20-\x7e]{4}/.test(text(lame, 4)) && lame + 24 <= view.byteLength) {
    const [a, b, c] = [21, 22, 23].map((offset) => view.getUint8(lame + offset));
    info.delay = (a << 4) | (b >> 4);
    info.padding = ((b & 15) << 8) | c;
  }
  return info;
}
