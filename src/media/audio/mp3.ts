import { MPEGDecoder } from "mpg123-decoder";
import { mpegCrc } from "./crc.js";
import { noteGap, walkFrames } from "./frame-walk.js";
import { type MpegHeader, mpegHeaderAt } from "./mpeg-header.js";
import { repackFrames } from "./repack-frames.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable } from "./undecodable.js";
import { compareLength, type Warnings } from "./warnings.js";
import { decoderDelay, type MpegInfo, mpegInfo } from "./xing.js";

/**
 * Bytes fed to the decoder at once: their output stays small enough to check before continuing.
 */
const chunkBytes = 4096;

interface Frame {
  start: number;
  header: MpegHeader;
}

/** Consecutive frames of one rate: what a decoder can take at once. */
interface Run {
  info?: MpegInfo;
  /**
   * Where it begins in the sound: the start of the file, an info frame, or the end of damage.
   */
  frames: Frame[];
}

/**
 * MPEG audio, Layers I to III, without a container: joined files, damaged frames, other bytes
 * before and between the frames. Each run of frames is decoded separately. The encoder's delay and
 * padding are removed if an info frame gives them.
 */
export async function decodeMp3(
  bytes: Uint8Array,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const runs = splitRuns(bytes, warnings);
  if (runs.length === 0) throw undecodable("The MP3 file holds no frames");
  sound.expectAll(partsOf(runs), 1);
  const ignoreCrc = !mostChecksumsAreRight(bytes, runs);
  for (let i = 0; i < runs.length; i++) {
    // Runs up to the next info frame belong to the same sound.
    const { info } = runs[i];
    const group = [runs[i]];
    while (
      i + 1 < runs.length &&
      runs[i + 1].info === undefined &&
      sameStream(runs[i], runs[i + 1])
    )
      group.push(runs[++i]);
    let skip = info?.delay === undefined ? 0 : info.delay + decoderDelay;
    for (const run of group)
      skip = await decodeRun(bytes, run, { skip, ignoreCrc, sound, warnings });
    if (info !== undefined) trimEnd(group, info, sound, warnings);
  }
}

/** Length of the runs without the encoder's delay and padding. */
function* partsOf(runs: readonly Run[]) {
  for (const { info, frames } of runs) {
    for (const { header } of frames) yield header;
    const { delay = 0, padding = 0 } = info ?? {};
    yield { ...frames[0].header, samples: -delay - padding };
  }
}

function sameStream(a: Run, b: Run): boolean {
  return a.frames[0]?.header.key === b.frames[0]?.header.key;
}

function splitRuns(bytes: Uint8Array, warnings: Warnings): Run[] {
  const runs: Run[] = [];
  let open: Run | undefined;
  let seconds = 0;
  for (const event of walkFrames(bytes, mpegHeaderAt)) {
    if (event.kind === "gap") {
      noteGap(event, { seconds, isFirst: runs.length === 0 }, warnings);
      open = undefined;
      continue;
    }
    const { start } = event;
    const header = event.header as MpegHeader;
    const info = mpegInfo(bytes, start, header);
    const before: Frame | undefined = open?.frames.at(-1);
    if (open === undefined || info !== undefined || (before && before.header.key !== header.key)) {
      open = { info, frames: [] };
      runs.push(open);
    }
    if (info !== undefined) continue;
    open.frames.push({ start, header });
    seconds += header.samples / header.sampleRateHz;
  }
  return runs.filter(({ frames }) => frames.length > 0);
}

interface RunOptions {
  /** Samples to drop at the beginning. */
  skip: number;
  ignoreCrc: boolean;
  sound: SoundBuilder;
  warnings: Warnings;
}

/** @returns samples that still have to be dropped. */
async function decodeRun(
  bytes: Uint8Array,
  run: Run,
  { skip: toSkip, ignoreCrc, sound, warnings }: RunOptions,
): Promise<number> {
  const { data, frames } = repackFrames(bytes, run.frames);
  const { sampleRateHz } = frames[0].header;
  const decoder = new MPEGDecoder({ enableGapless: false });
  let skip = toSkip;
  try {
    await decoder.ready;
    for (let from = 0; from < frames.length; ) {
      const isBad = !ignoreCrc && !hasRightChecksum(data, frames[from]);
      let to = from + 1;
      const first = frames[from].start;
      while (
        !isBad &&
        to < frames.length &&
        frames[to].start + frames[to].header.length - first <= chunkBytes &&
        (ignoreCrc || hasRightChecksum(data, frames[to]))
      )
        to++;
      const end = frames[to - 1].start + frames[to - 1].header.length;
      const expected = frames.slice(from, to).reduce((sum, { header }) => sum + header.samples, 0);
      const { channelData, samplesDecoded, errors } = decoder.decode(data.subarray(first, end));
      const skipped = Math.min(skip, expected);
      const at = sound.seconds;
      const taken = isBad ? 0 : Math.min(samplesDecoded, expected);
      if (taken > skipped) sound.add(channelData, taken - skipped, sampleRateHz, skipped);
      sound.addSilence(expected - Math.max(taken, skipped), sampleRateHz);
      skip -= skipped;
      if (isBad || errors.length > 0)
        warnings.mute("frame", Math.max(1, errors.length), at, sound.seconds);
      else if (taken < expected && from > 0) warnings.mute("frame", 1, at, sound.seconds);
      from = to;
    }
  } finally {
    decoder.free();
  }
  return skip;
}

/** Removes the encoder's padding from the end of a complete sound, and checks its length. */
function trimEnd(
  group: readonly Run[],
  info: MpegInfo,
  sound: SoundBuilder,
  warnings: Warnings,
): void {
  const { header } = group[0].frames[0];
  const found = group.reduce((sum, { frames }) => sum + frames.length, 0);
  if (info.frames === undefined || info.frames === 0) return;
  const { samples, sampleRateHz } = header;
  // Some encoders count the info frame.
  compareLength(warnings, info.frames * samples, found * samples, {
    sampleRateHz,
    tolerance: samples,
  });
  if (found === info.frames && info.padding !== undefined)
    sound.removeLast(Math.max(0, info.padding - decoderDelay));
}

/** Whether a frame's checksum, if any, is right. */
function hasRightChecksum(bytes: Uint8Array, { start, header }: Frame): boolean {
  if (!header.hasCrc || header.layer !== 3) return true;
  const crc = (bytes[start + 4] << 8) | bytes[start + 5];
  const side: [number, number] = [start + 6, start + 6 + header.sideBytes];
  return mpegCrc(bytes, [[start + 2, start + 4], side]) === crc;
}

/** Some encoders never wrote right checksums. */
function mostChecksumsAreRight(bytes: Uint8Array, runs: readonly Run[]): boolean {
  const frames = runs.flatMap((run) => run.frames);
  return frames.filter((frame) => hasRightChecksum(bytes, frame)).length >= frames.length / 2;
}
