import { mpegHeaderAt } from "./audio/mpeg-header.js";
import { tagLength } from "./audio/tags.js";
import { mpegInfo } from "./audio/xing.js";

/** A sound according to its container. */
export interface SoundSize {
  /** Samples of one channel. */
  frames: number;
  sampleRateHz: number;
}

const maxChunks = 1000;
/** Most pages of an Ogg file that are read: an hour has a few thousand. The rest is like them. */
const maxPages = 10_000;
/** Where the first frame of an MP3 is looked for. */
const maxSyncBytes = 1 << 16;
/** Tags before it. */
const maxTags = 16;

/**
 * Length and rate of a sound from its headers alone: nothing is decoded, and the work is bounded
 * whatever the bytes are. The header is trusted: the decoder's limit catches a false one.
 *
 * @param length  of the file, where `bytes` are only its beginning.
 * @returns undefined when the container is unknown, or does not give them.
 */
export function soundSize(bytes: Uint8Array, length = bytes.length): SoundSize | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const head = file.toString("latin1", 0, 4);
    if (head === "RIFF" || head === "RF64" || head === "BW64") return wavSize(file, length);
    if (head === "fLaC") return flacSize(file, 0, length);
    if (head === "OggS") return oggSize(file, length);
    return mp3Size(file, length);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the header ends too early
    return undefined;
  }
}

/** PCM and G.711: as many frames as the bytes of the file hold. ADPCM packs two samples a byte. */
function wavSize(file: Buffer, length: number): SoundSize | undefined {
  let format: { tag: number; frameBytes: number; sampleRateHz: number } | undefined;
  let at = 12;
  for (let chunk = 0; chunk < maxChunks && at + 8 <= file.length; chunk++) {
    const id = file.toString("latin1", at, at + 4);
    const size = file.readUInt32LE(at + 4);
    if (id === "fmt ") {
      const tag = file.readUInt16LE(at + 8);
      const [sampleRateHz, frameBytes] = [file.readUInt32LE(at + 12), file.readUInt16LE(at + 20)];
      format = { tag, frameBytes, sampleRateHz };
    }
    if (id === "data" && format !== undefined) {
      const left = length - at - 8;
      const { tag, frameBytes, sampleRateHz } = format;
      const isPacked = ![1, 3, 6, 7, 0xfffe].includes(tag) || frameBytes === 0;
      return { frames: isPacked ? 2 * left : Math.floor(left / frameBytes), sampleRateHz };
    }
    at += 8 + size + (size % 2);
  }
  return undefined;
}

/** A frame of 65,535 samples of silence takes 11 bytes. */
const maxFlacSamplesPerByte = 6000;

/** STREAMINFO. Source: RFC 9639, section 8.2. */
function flacSize(file: Buffer, marker: number, length: number): SoundSize {
  const rateAndMore = file.readBigUInt64BE(marker + 18);
  const total = Number(rateAndMore & 0xf_ffff_ffffn);
  const sampleRateHz = Number(rateAndMore >> 44n);
  return { frames: total > 0 ? total : maxFlacSamplesPerByte * length, sampleRateHz };
}

const oggS = 0x4f676753;

/** The last granule position of each of the streams that follow each other. Source: RFC 3533. */
function oggSize(file: Buffer, length: number): SoundSize | undefined {
  const first = file.subarray(0, 512);
  const vorbis = first.indexOf("\x01vorbis", 0, "latin1");
  const flac = first.indexOf("fLaC");
  const isOpus = first.includes("OpusHead");
  if (vorbis < 0 && flac < 0 && !isOpus) return undefined;
  const rate = () => (vorbis >= 0 ? file.readUInt32LE(vorbis + 12) : flacSize(file, flac, length));
  const found = isOpus ? 48_000 : rate();
  const sampleRateHz = typeof found === "number" ? found : found.sampleRateHz;
  let frames = 0;
  let granule = 0;
  let at = 0;
  for (let page = 0; page < maxPages && at + 27 <= file.length; page++) {
    if (file.readUInt32BE(at) !== oggS) {
      const next = file.indexOf("OggS", at);
      if (next < 0) break;
      at = next;
      continue;
    }
    if ((file.readUInt8(at + 5) & 2) !== 0 && granule > 0) {
      frames += granule; // another stream begins
      granule = 0;
    }
    const position = file.readBigUInt64LE(at + 6);
    if (position < 1n << 62n) granule = Math.max(granule, Number(position));
    let size = 27 + file.readUInt8(at + 26);
    for (let i = at + 27; i < Math.min(file.length, at + 27 + file[at + 26]); i++) size += file[i];
    at += size;
  }
  // The unread part is assumed to be like the rest.
  const share = at === 0 ? 1 : Math.max(1, length / at);
  return { frames: Math.ceil((frames + granule) * share), sampleRateHz };
}

/** The frame count that encoders leave in the first frame, else the length of that frame. */
function mp3Size(file: Buffer, length: number): SoundSize | undefined {
  let start = 0;
  for (let tag = 0; tag < maxTags; tag++) start += tagLength(file, start);
  const end = Math.min(file.length - 4, start + maxSyncBytes);
  for (let at = file.indexOf(0xff, start); at >= 0 && at < end; at = file.indexOf(0xff, at + 1)) {
    // The length of a free-format frame must be searched for, which is too much work here.
    const isFreeFormat = file[at + 2] >> 4 === 0;
    const header = isFreeFormat ? undefined : mpegHeaderAt(file, at);
    if (header === undefined) continue;
    const { samples, length: frameBytes, sampleRateHz } = header;
    const frames = mpegInfo(file, at, header)?.frames ?? (length - at) / frameBytes;
    return { frames: Math.ceil(frames * samples), sampleRateHz };
  }
  return undefined;
}
