import { tagLength } from "./tags.js";
import { inSeconds, type Warnings } from "./warnings.js";

/** The header of a frame without a container: MPEG audio, ADTS. */
export interface FrameHeader {
  /** Bytes of the whole frame. */
  length: number;
  /** PCM frames: samples of each channel. */
  samples: number;
  sampleRateHz: number;
  /** Equal for frames of one stream: the fields that do not change between frames. */
  key: number;
  /**
   * Its length is only a guess from where the next one begins: it takes more of them, of one
   * length, to be sure.
   */
  isGuess?: boolean;
}

export type HeaderReader = (bytes: Uint8Array, at: number) => FrameHeader | undefined;

export type WalkEvent = { kind: "frame"; start: number; header: FrameHeader } | Gap;

/**
 * Bytes that are not frames. `isCut`: a truncated last frame of the file.
 */
interface Gap {
  kind: "gap";
  start: number;
  length: number;
  isCut: boolean;
}

/** Warns of a gap after `seconds` of sound. Bytes before the first frame are not damage. */
export function noteGap(
  { isCut, length }: Gap,
  { seconds, isFirst }: { seconds: number; isFirst: boolean },
  warnings: Warnings,
): void {
  if (isCut) warnings.add("The last frame of the file is cut short and was skipped");
  else if (!isFirst)
    warnings.add(`${length} bytes at ${inSeconds(seconds)} are not audio frames and were skipped`);
}

/**
 * The frames of a stream without a container. Headers are short and their mark occurs by chance: a
 * frame counts when another one of its stream, a tag or the end of the file follows right after it;
 * the first of a stream, when three do.
 */
export function* walkFrames(bytes: Uint8Array, headerAt: HeaderReader): Generator<WalkEvent> {
  let key: number | undefined;
  for (let at = 0; at < bytes.length; ) {
    const tag = tagLength(bytes, at);
    if (tag > 0) {
      at += tag;
      continue;
    }
    const header = headerAt(bytes, at);
    if (header !== undefined && follows(bytes, headerAt, at, header, header.key === key ? 1 : 3)) {
      key = header.key;
      yield { kind: "frame", start: at, header };
      at += header.length;
      continue;
    }
    const next = findFrame(bytes, headerAt, at + 1, { key });
    const end = next < 0 ? bytes.length : next;
    const isCut = next < 0 && header?.key === key && at + (header?.length ?? 0) > bytes.length;
    if (bytes.subarray(at, end).some((byte) => byte !== 0))
      yield { kind: "gap", start: at, length: end - at, isCut };
    at = end;
  }
}

const framesToTrustGuess = 8;

/**
 * Position of a stream's first frame, searched up to `within`; -1 if there is none.
 */
export function findFrame(
  bytes: Uint8Array,
  headerAt: HeaderReader,
  from: number,
  { key, within = bytes.length }: { key?: number; within?: number } = {},
): number {
  const last = Math.min(bytes.length, within);
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at < last; at = bytes.indexOf(0xff, at + 1)) {
    const header = headerAt(bytes, at);
    if (header === undefined) continue;
    if (follows(bytes, headerAt, at, header, header.key === key ? 2 : 3)) return at;
  }
  return -1;
}

/**
 * Whether `count` consecutive frames of the stream follow, or fewer up to the end of the file or a
 * tag.
 */
function follows(
  bytes: Uint8Array,
  headerAt: HeaderReader,
  start: number,
  first: FrameHeader,
  count: number,
): boolean {
  let header: FrameHeader | undefined = first;
  const needed = first.isGuess === true && count > 1 ? framesToTrustGuess : count;
  for (let i = 0, at = start; i < needed; i++) {
    at += header.length;
    if (at > bytes.length) return false;
    // A file of one frame is a sound only when it is nothing else.
    const isLast = at === bytes.length;
    if (first.isGuess === true && !isLast && Math.abs(header.length - first.length) > 1)
      return false;
    if (isLast || tagLength(bytes, at) > 0) return i > 0 || count === 1 || start === 0;
    header = headerAt(bytes, at);
    if (header?.key !== first.key) {
      const isOther = header !== undefined && i > 0 && at + header.length <= bytes.length;
      const isPadding =
        (i > 0 || count === 1) && bytes.subarray(at, at + 16).every((byte) => byte === 0);
      return isOther || isPadding || (count === 1 && header !== undefined);
    }
  }
  return true;
}
