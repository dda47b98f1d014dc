import { FLACDecoder } from "@wasm-audio-decoders/flac";
import { decodeWithFfmpeg } from "./ffmpeg.js";
import {
  type FlacFrame,
  flacFrames,
  readStreamInfo,
  type StreamInfo,
  selfContained,
} from "./flac-frames.js";
import type { OggStream } from "./ogg-streams.js";
import type { SoundBuilder } from "./sound-builder.js";
import { tagLength } from "./tags.js";
import { undecodable } from "./undecodable.js";
import { compareLength, type Warnings } from "./warnings.js";

/** Samples of each channel decoded at once. */
const chunkSamples = 1 << 16;
/**
 * The longest silence in place of lost frames: a frame's number may be wrong itself.
 */
const longestGapSeconds = 600;

/**
 * FLAC: frames with a wrong checksum are muted, the rest is kept; all concatenated streams are
 * read; one that starts in the middle is read as far as its frames describe themselves. Source: RFC
 * 9639.
 */
export async function decodeFlac(
  bytes: Uint8Array,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  for (const stream of splitFlac(bytes)) await decodeFlacStream(bytes, stream, sound, warnings);
}

/**
 * FLAC in Ogg: its packets are the frames of a FLAC stream. Source: RFC 9639, section 10.1.
 */
export async function decodeOggFlac(
  stream: OggStream,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const [first, ...packets] = stream.groups.flatMap((group) => group.packets);
  // 0x7f "FLAC", two bytes of version, two of the number of header packets, "fLaC", a block's
  // header, STREAMINFO.
  const info = first.length >= 51 ? readStreamInfo(first, 17) : undefined;
  if (info === undefined)
    throw undecodable("The Ogg FLAC file cannot be decoded: its header is cut short");
  const frames = packets.filter((packet) => packet[0] === 0xff);
  const bytes = Buffer.concat([first.subarray(9), ...frames]);
  await decodeFlacStream(
    bytes,
    { start: 0, end: bytes.length, framesStart: first.length - 9, info },
    sound,
    warnings,
  );
}

interface FlacStream {
  start: number;
  end: number;
  framesStart: number;
  info: StreamInfo | undefined;
}

/** Streams in a file, found by their marker and metadata blocks. */
function splitFlac(bytes: Uint8Array): FlacStream[] {
  const streams: FlacStream[] = [];
  for (let at = 0; at < bytes.length; ) {
    at += tagLength(bytes, at);
    const isMarked = Buffer.from(bytes.subarray(at, at + 4)).toString("latin1") === "fLaC";
    const stream = isMarked
      ? readMetadata(bytes, at)
      : { start: at, framesStart: at, info: undefined };
    const next = nextStream(bytes, stream.framesStart);
    streams.push({ ...stream, end: next });
    at = next;
  }
  return streams;
}

function readMetadata(bytes: Uint8Array, start: number): Omit<FlacStream, "end"> {
  let info: StreamInfo | undefined;
  let at = start + 4;
  for (let isLast = false; !isLast && at + 4 <= bytes.length; ) {
    const type = bytes[at] & 0x7f;
    const length = (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    // Frames where a block should be: the flag of the last block is damaged, or a length.
    if (type === 127) break;
    isLast = (bytes[at] & 0x80) !== 0;
    if (type === 0) info ??= readStreamInfo(bytes, at + 4);
    at += 4 + length;
  }
  return { start, framesStart: at < bytes.length ? at : start + 4, info };
}

/** The next position of "fLaC" and a STREAMINFO block. */
function nextStream(bytes: Uint8Array, from: number): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = file.indexOf("fLaC", from); at >= 0; at = file.indexOf("fLaC", at + 1))
    if ((file[at + 4] & 0x7f) === 0 && file[at + 7] === 34) return at;
  return bytes.length;
}

async function decodeFlacStream(
  bytes: Uint8Array,
  { start, end, framesStart, info }: FlacStream,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const stream = bytes.subarray(0, end);
  const decoder = await takeDecoder();
  let isSound = false;
  try {
    let batch: FlacFrame[] = [];
    let expected: number | undefined;
    let found = 0;
    let decodedSamples = 0;
    let damaged = false;
    // STREAMINFO's is often wrong; the last frame alone is shorter.
    let blockSize: number | undefined;
    const flush = async () => {
      if (batch.length === 0) return;
      const frames = batch;
      batch = [];
      const [{ sampleRateHz, bits }] = frames;
      const samples = frames.reduce((sum, frame) => sum + frame.samples, 0);
      const at = sound.seconds;
      const pieces = frames.map((frame) => selfContained(stream, frame));
      const decoded = await decoder.decodeFrames(pieces);
      const count = Math.min(samples, decoded.samplesDecoded);
      decodedSamples += count;
      rescale(decoded.channelData, count, bits);
      sound.add(decoded.channelData, count, sampleRateHz);
      sound.addSilence(samples - count, sampleRateHz);
      if (count < samples)
        warnings.mute("frame", Math.max(1, decoded.errors.length), at, sound.seconds);
    };
    const events = [...flacFrames(stream, framesStart, info)];
    sound.expectAll(
      events.flatMap((event) => (event.kind === "frame" ? event.frame : [])),
      1,
    );
    for (const event of events) {
      if (event.kind === "damage") {
        const isPadding = stream.subarray(event.start, event.end).every((byte) => byte === 0);
        damaged ||= !isPadding && tagLength(stream, event.start) === 0;
        continue;
      }
      const { frame } = event;
      if (![8, 16, 24, 32].includes(frame.bits)) {
        await decodeWithFfmpeg(
          bytes.subarray(start, end),
          { demuxer: "flac", name: `FLAC of ${frame.bits} bits` },
          sound,
          warnings,
        );
        return;
      }
      const [first] = batch;
      const queued = batch.reduce((sum, one) => sum + one.samples, 0);
      const isOther =
        first !== undefined &&
        (first.sampleRateHz !== frame.sampleRateHz || first.bits !== frame.bits);
      blockSize ??= frame.samples;
      const position = frame.isVariable ? frame.number : frame.number * blockSize;
      const gap = expected === undefined ? 0 : position - expected;
      if (isOther || queued >= chunkSamples || gap !== 0 || damaged) await flush();
      // It would insert silence for missing frames.
      if (gap !== 0 || damaged) await decoder.reset();
      if (damaged || gap > 0) {
        const at = sound.seconds;
        const isGap = gap > 0 && gap <= longestGapSeconds * frame.sampleRateHz;
        if (isGap) sound.addSilence(gap, frame.sampleRateHz);
        if (isGap) found += gap;
        warnings.mute("frame", Math.max(1, Math.round(gap / frame.samples)), at, sound.seconds);
        damaged = false;
      }
      batch.push(frame);
      found += frame.samples;
      expected = position + frame.samples;
    }
    await flush();
    if (decodedSamples === 0)
      throw undecodable("The FLAC file cannot be decoded: it has no intact frame");
    const { totalSamples = 0, sampleRateHz = 1 } = info ?? {};
    if (damaged && totalSamples <= found)
      warnings.add("The last frame of the file is damaged or cut short and was skipped");
    if (info === undefined)
      warnings.add("The FLAC file begins in the middle: its header is missing");
    else if (totalSamples > 0) compareLength(warnings, totalSamples, found, { sampleRateHz });
    isSound = true;
  } finally {
    // One that threw may have written over its memory: it must not see another file
    if (isSound && idle === undefined) idle = { decoder, ready: decoder.reset() };
    else if (isSound) decoder.free();
  }
}

/**
 * An idle decoder, reset: creating one takes a third of the time of a short file.
 */
let idle: { decoder: FLACDecoder; ready: Promise<void> } | undefined;

async function takeDecoder(): Promise<FLACDecoder> {
  const rested = idle;
  idle = undefined;
  const decoder = rested?.decoder ?? new FLACDecoder();
  await (rested?.ready ?? decoder.ready);
  return decoder;
}

/** The decoder divides by 2^(bits-1) - 1; libsndfile, soundfile and librosa by 2^(bits-1). */
function rescale(channels: readonly Float32Array[], count: number, bits: number): void {
  const largest = 2 ** (bits - 1) - 1;
  const unit = 2 ** (1 - bits);
  for (const channel of channels) {
    // Ten times as fast as Math.round, which V8 does not compile to one instruction.
    for (let i = 0; i < count; i++) channel[i] = Math.floor(channel[i] * largest + 0.5) * unit;
  }
}
