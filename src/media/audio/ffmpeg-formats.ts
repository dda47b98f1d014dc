/**
 * An allowed demuxer of ffmpeg, its format, and how such a file begins: strings at offsets, bytes
 * as Latin-1.
 */
interface FfmpegFormat {
  demuxer: string;
  name: string;
  begins: readonly (readonly [at: number, text: string])[];
}

const format = (
  demuxer: string,
  name: string,
  ...texts: readonly (string | [number, string])[]
) => ({
  demuxer,
  name,
  begins: texts.map((text) => (typeof text === "string" ? ([0, text] as const) : text)),
});
const mp4 = (box: string) => format("mov", "M4A, MP4 or MOV", [4, box]);

/** No playlists, nothing that refers to other files or addresses. For video, only the sound. */
const formats: readonly FfmpegFormat[] = [
  ...["ftyp", "moov", "mdat", "wide", "free", "skip", "pnot"].map(mp4),
  format("matroska", "WebM or Matroska", "\x1a\x45\xdf\xa3"),
  format("asf", "WMA", "\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
  format("amr", "AMR", "#!AMR"),
  format("ape", "Monkey's Audio", "MAC "),
  format("wv", "WavPack", "wvpk"),
  format("tta", "True Audio", "TTA1"),
  format("mpc8", "Musepack", "MPCK"),
  format("mpc", "Musepack", "MP+"),
  format("tak", "TAK", "tBaK"),
  format("dsf", "DSD", "DSD "),
  format("iff", "DSDIFF", "FRM8", [12, "DSD "]),
  format("iff", "IFF 8SVX", "FORM", [8, "8SVX"]),
  format("voc", "Creative Voice", "Creative Voice File\x1a"),
  format("nistsphere", "NIST Sphere", "NIST_1A\n"),
  // By machine: VAX, Sun, MIPS, NeXT.
  ...["\x01", "\x02", "\x03", "\x04"].flatMap((machine) => [
    format("ircam", "IRCAM", `\x64\xa3${machine}\0`),
    format("ircam", "IRCAM", `\0${machine}\xa3\x64`),
  ]),
  format("avi", "AVI", "RIFF", [8, "AVI "]),
  format("flv", "FLV", "FLV\x01"),
  format("rm", "RealMedia", ".RMF"),
  format("mpeg", "an MPEG program stream", "\0\0\x01\xba"),
  // Packets of 188 bytes that all begin with the same mark.
  format(
    "mpegts",
    "an MPEG transport stream",
    ...[0, 1, 2, 3, 4].map((i): [number, string] => [188 * i, "G"]),
  ),
  // 16 and 14 bits to a word, in both byte orders.
  ...["\x7f\xfe\x80\x01", "\xfe\x7f\x01\x80", "\x1f\xff\xe8\0", "\xff\x1f\0\xe8"].map((mark) =>
    format("dts", "DTS", mark),
  ),
];

export function ffmpegFormatOf(bytes: Uint8Array): { demuxer: string; name: string } | undefined {
  const textAt = (from: number, length: number) =>
    String.fromCharCode(...bytes.subarray(from, from + length));
  if (textAt(0, 2) === "\x0b\x77") return dolby(bytes);
  if (isLoas(bytes)) return { demuxer: "loas", name: "AAC in LATM" };
  const found = formats.find(({ begins }) =>
    begins.every(([at, text]) => textAt(at, text.length) === text),
  );
  return found && { demuxer: found.demuxer, name: found.name };
}

/** Three consecutive frames of LOAS. Source: ISO/IEC 14496-3, section 1.7.2. */
function isLoas(bytes: Uint8Array): boolean {
  let at = 0;
  for (let frame = 0; frame < 3; frame++) {
    if (bytes[at] !== 0x56 || (bytes[at + 1] & 0xe0) !== 0xe0) return false;
    at += 3 + ((bytes[at + 1] & 0x1f) << 8) + bytes[at + 2];
    if (at === bytes.length) return true;
  }
  return true;
}

/**
 * AC-3 or its successor, by the version in the header. Source: ETSI TS 102 366, sections 4.3 and
 * E.1.3.
 */
function dolby(bytes: Uint8Array): { demuxer: string; name: string } | undefined {
  const version = bytes[5] >> 3;
  if (version > 16) return undefined;
  return version <= 10 ? { demuxer: "ac3", name: "AC-3" } : { demuxer: "eac3", name: "E-AC-3" };
}
