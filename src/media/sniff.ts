/** Kinds of file this product reads, told by their first bytes: names and declared types come from strangers. */
export type ImageFormat = "jpeg" | "png" | "webp" | "gif" | "avif" | "heic" | "tiff";
export type AudioFormat =
  | "wav"
  | "flac"
  | "mp3"
  | "ogg-vorbis"
  | "ogg-opus"
  | "mp4"
  | "webm"
  | "aac"
  | "aiff";
export type MediaFormat = ImageFormat | AudioFormat;

/** The format of a file, or undefined when it is none of ours. */
export function sniffFormat(bytes: Uint8Array): MediaFormat | undefined {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  const head = text(0, 4);
  if (head === "RIFF" || head === "RF64") {
    if (text(8, 12) === "WAVE") return "wav";
    if (text(8, 12) === "WEBP") return "webp";
    return undefined;
  }
  if (head === "FORM" && text(8, 11) === "AIF") return "aiff";
  if (head === "fLaC") return "flac";
  if (head === "OggS") {
    const page = text(0, 128);
    if (page.includes("OpusHead")) return "ogg-opus";
    if (page.includes("\x01vorbis")) return "ogg-vorbis";
    if (page.includes("\x7fFLAC")) return "flac";
    return undefined;
  }
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (head === "\x89PNG") return "png";
  if (head === "GIF8") return "gif";
  if (["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(head)) return "tiff"; // + is BigTIFF
  if (text(4, 8) === "ftyp") {
    const brands = text(8, 32);
    if (/avif|avis/.test(brands)) return "avif";
    return /^(hei[cxms]|hev[cx]|mif1|msf1)/.test(brands) ? "heic" : "mp4";
  }
  if (bytes[0] === 0x1a && bytes[1] === 0x45 && bytes[2] === 0xdf && bytes[3] === 0xa3)
    return "webm";
  if (head.startsWith("ID3")) return "mp3";
  if (bytes[0] === 0xff && (bytes[1] & 0xf6) === 0xf0) return "aac"; // ADTS: sync word with layer 0
  if (bytes[0] === 0xff && (bytes[1] & 0xe0) === 0xe0 && (bytes[1] & 0x06) !== 0) return "mp3";
  return undefined;
}
