/**
 * Codecs in WAV that go to ffmpeg, by their tag. Other tags are refused: ffmpeg mistakes some
 * codecs for others of the same name and decodes them to noise.
 */
const ffmpegCodecs: Record<number, string> = {
  32: "Yamaha ADPCM",
  34: "TrueSpeech",
  49: "GSM",
  66: "G.723.1",
  146: "AC-3",
  255: "AAC",
  352: "WMA",
  353: "WMA",
  354: "WMA Pro",
  355: "WMA Lossless",
  624: "ATRAC3",
  655: "G.722",
  5632: "AAC",
  8192: "AC-3",
  8193: "DTS",
  22127: "Vorbis",
  26447: "Vorbis",
  26448: "Vorbis",
  26449: "Vorbis",
  26479: "Vorbis",
  26480: "Vorbis",
  26481: "Vorbis",
  28751: "Opus",
  28781: "AAC",
  61868: "FLAC",
};

export const ffmpegCodecOf = (tag: number): string | undefined => ffmpegCodecs[tag];

const searchBytes = 1 << 16;

/**
 * The first bytes of coded frames that were written into a WAV as samples, as when ripping discs.
 */
const packedMarks: readonly [mark: string, what: string][] = [
  ["7ffe8001", "DTS"],
  ["fe7f0180", "DTS"],
  ["1fffe800", "DTS"],
  ["ff1f00e8", "DTS"],
  ["72f81f4e", "S/PDIF"],
  ["f8724e1f", "S/PDIF"],
];

/** Coded sound declared as 16-bit stereo PCM: as samples it is noise. */
export function packedCodec(bytes: Uint8Array, start: number, length: number): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(length, searchBytes));
  return packedMarks.find(([mark]) => {
    const first = head.indexOf(mark, 0, "hex");
    return first >= 0 && first % 2 === 0 && head.indexOf(mark, first + 4, "hex") > 0;
  })?.[1];
}
