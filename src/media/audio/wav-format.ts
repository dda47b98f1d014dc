import type { Chunk } from "./riff-chunks.js";
import { undecodable, unsupported } from "./undecodable.js";
import type { Warnings } from "./warnings.js";

/** The `fmt ` chunk of a WAV file. */
export interface WavFormat {
  /**
   * WAVE_FORMAT_…: 1 PCM, 3 float, 6 A-law and so on; for WAVE_FORMAT_EXTENSIBLE that of its
   * sub-format.
   */
  tag: number;
  channels: number;
  sampleRateHz: number;
  /** Bytes of a block: of a frame, for samples that are not compressed. */
  blockBytes: number;
  /** Bits a sample takes in the file; 0 for compressed ones. */
  bits: number;
  /** The header's bits of a sample, uncorrected. */
  codedBits: number;
  /** Significant bits: `bits` unless the header says fewer. */
  validBits: number;
  /** Position of the bytes after the fixed fields, whose meaning depends on the tag. */
  extraStart: number;
  extraLength: number;
}

const extensible = 0xfffe;
/** The end of a sub-format's GUID, which begins with a tag: in both byte orders. */
const guidEnds = [
  "00001000800000aa00389b71", // KSDATAFORMAT_SUBTYPE_…
  "00000010800000aa00389b71",
  "2107d3118644c8c1ca000000", // AMBISONIC_B_FORMAT_…
  "000000000000000000000000", // left empty
];

export function readWavFormat(
  bytes: Uint8Array,
  { start, size }: Chunk,
  { littleEndian, warnings }: { littleEndian: boolean; warnings: Warnings },
): WavFormat {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Math.min(size, bytes.length - start);
  if (length < 14) throw undecodable("The WAV file cannot be read: its format chunk is too short");
  const uint16 = (at: number) => (at + 2 <= length ? view.getUint16(start + at, littleEndian) : 0);
  let tag = uint16(0);
  let validBits = 0;
  const isExtensible = tag === extensible && length >= 26;
  if (isExtensible) {
    const guid = Buffer.from(bytes.subarray(start + 24, start + 40)).toString("hex");
    if (length >= 40 && !guidEnds.includes(guid.slice(8)))
      throw unsupported(`The WAV file has the sub-format ${guid}, which is not supported`);
    tag = uint16(littleEndian ? 24 : 26);
    validBits = uint16(18);
  }
  const channels = uint16(2);
  const sampleRateHz = view.getUint32(start + 4, littleEndian);
  const bytesPerSecond = view.getUint32(start + 8, littleEndian);
  const blockBytes = uint16(12);
  if (channels === 0) throw undecodable("The WAV file cannot be read: it has no channels");
  if (sampleRateHz === 0) throw undecodable("The WAV file cannot be read: its sample rate is 0 Hz");
  const bits = storedBits({
    bits: uint16(14),
    blockBits: (blockBytes / channels) * 8,
    secondBits: (bytesPerSecond / sampleRateHz / channels) * 8,
  });
  const isPlain = tag === 1 || tag === 3;
  if (isPlain && blockBytes !== (bits / 8) * channels) {
    const should = (bits / 8) * channels;
    warnings.add(
      `The header's block alignment is ${blockBytes}, but ${channels} channels of ${bits} ` +
        `bits take ${should}: the number of bits was used`,
    );
  }
  if (validBits === 0 || validBits > bits) validBits = bits;
  return {
    tag,
    channels,
    sampleRateHz,
    blockBytes,
    bits,
    codedBits: uint16(14),
    validBits,
    extraStart: start + (isExtensible ? 40 : 18),
    extraLength: Math.max(0, length - (isExtensible ? 40 : 18)),
  };
}

/**
 * Bits that a sample takes. `bits` decides, as with libsndfile and ffmpeg: encoders write wrong
 * alignments. Only 24 of 32 is different: old recorders wrote it without WAVE_FORMAT_EXTENSIBLE,
 * and then both other fields agree.
 */
function storedBits({
  bits,
  blockBits,
  secondBits,
}: {
  bits: number;
  blockBits: number;
  secondBits: number;
}): number {
  if (bits === 0) return blockBits;
  const rounded = Math.ceil(bits / 8) * 8;
  const isWider = blockBits > rounded && blockBits % 8 === 0 && blockBits <= 64;
  return isWider && rounded >= 24 && secondBits === blockBits ? blockBits : rounded;
}
