import { OggVorbisDecoder } from "@wasm-audio-decoders/ogg-vorbis";
import { codecFrames, data, header, type OggPage as ParserPage, vorbisSetup } from "codec-parser";
import type { OggStream, PacketGroup } from "./ogg-streams.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable } from "./undecodable.js";
import type { Warnings } from "./warnings.js";

/** Seconds that are filled with silence at most where pages are lost. */
const longestGapSeconds = 600;
/** Samples of a page whose packets all are damaged, at most. */
const longestPacket = 65_536;

/**
 * Adds a Vorbis stream; its beginning and end are where the granule positions say. Source: Vorbis I
 * specification, appendix A.2.
 */
export async function decodeVorbisStream(
  stream: OggStream,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const { headers, groups } = splitHeaders(stream.groups);
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  try {
    await decoder.decodeOggPages([page(headers[0], [])]);
    let setup: Uint8Array | undefined = headers[2];
    let position = 0;
    let offset: number | undefined;
    for (const { packets, granule, isLast, isAfterLoss } of groups) {
      const before = sound.seconds;
      const decoded = await decoder.decodeOggPages([page(new Uint8Array(0), packets, setup)]);
      setup = undefined;
      const { channelData, samplesDecoded, sampleRate } = decoded;
      let from = 0;
      const end = granule === undefined || offset === undefined ? undefined : granule - offset;
      const missing = end === undefined ? 0 : end - position - samplesDecoded;
      // Without a loss a packet of one page may have been no sound; a last page may promise too
      // much.
      const isGap = isAfterLoss
        ? missing <= longestGapSeconds * sampleRate
        : missing <= longestPacket && !isLast;
      if (missing > 0 && isGap) {
        sound.addSilence(missing, sampleRate);
        position += missing;
        if (!isAfterLoss) warnings.mute("packet", 1, before, sound.seconds);
      }
      // The first page says where its sound begins: earlier samples are left out; a later start was
      // cut from a longer stream.
      if (granule !== undefined && offset === undefined && samplesDecoded > 0) {
        if (!isLast) from = Math.max(0, samplesDecoded - granule);
        offset = isLast ? 0 : Math.max(0, granule - samplesDecoded);
      }
      sound.add(channelData, samplesDecoded - from, sampleRate, from);
      position += samplesDecoded - from;
      if (isLast && granule !== undefined) {
        const excess = position - (granule - (offset ?? 0));
        if (excess > 0 && excess <= position) sound.removeLast(excess);
      }
    }
  } finally {
    decoder.free();
  }
}

/** A page as the decoder's own parser would hand it on. */
function page(first: Uint8Array, packets: readonly Uint8Array[], setup?: Uint8Array): ParserPage {
  return {
    [data]: first,
    [codecFrames]: packets.map((packet) => ({
      [data]: packet,
      [header]: { [vorbisSetup]: setup },
    })),
  } as unknown as ParserPage;
}

/** The three header packets, and the groups of packets that hold sound. */
function splitHeaders(groups: readonly PacketGroup[]): {
  headers: Uint8Array[];
  groups: PacketGroup[];
} {
  const headers: Uint8Array[] = [];
  const rest: PacketGroup[] = [];
  for (const group of groups) {
    const count = Math.min(3 - headers.length, group.packets.length);
    headers.push(...group.packets.slice(0, count));
    const packets = group.packets.slice(count);
    if (packets.length > 0 || (headers.length === 3 && group.isLast))
      rest.push({ ...group, packets });
  }
  const isHeader = headers.every((packet, i) => packet[0] === 2 * i + 1 && packet.length > 7);
  if (headers.length < 3 || !isHeader)
    throw undecodable("The Vorbis file cannot be decoded: its headers are missing or damaged");
  return { headers, groups: rest };
}
