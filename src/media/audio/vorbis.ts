import { OggVorbisDecoder } from "@wasm-audio-decoders/ogg-vorbis";
import { codecFrames, data, header, type OggPage as ParserPage, vorbisSetup } from "codec-parser";
import type { OggStream, PacketGroup } from "./ogg-streams.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable } from "./undecodable.js";
import type { Warnings } from "./warnings.js";

/** Most seconds of silence in place of lost pages. */
const longestGapSeconds = 600;
/** Most samples of a page whose packets are all damaged. */
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
  const { identification, setup, groups } = splitHeaders(stream.groups);
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  try {
    await decoder.decodeOggPages([page(identification, [])]);
    let unsent: Uint8Array | undefined = setup;
    let position = 0;
    let offset: number | undefined;
    for (const { packets, granule, isLast, isAfterLoss } of groups) {
      const before = sound.seconds;
      const decoded = await decoder.decodeOggPages([page(new Uint8Array(0), packets, unsent)]);
      unsent = undefined;
      const { channelData, samplesDecoded, sampleRate, errors } = decoded;
      let from = 0;
      const end = granule === undefined || offset === undefined ? undefined : granule - offset;
      const missing = end === undefined ? 0 : end - position - samplesDecoded;
      // Without a loss a single-page packet may not be sound; a last page may announce too much.
      const isGap = isAfterLoss
        ? missing <= longestGapSeconds * sampleRate
        : missing <= longestPacket && !isLast;
      if (missing > 0 && isGap) {
        sound.addSilence(missing, sampleRate);
        position += missing;
        if (!isAfterLoss) warnings.mute("packet", 1, before, sound.seconds);
      }
      // The first page says where its sound begins: earlier samples are dropped; a later start
      // means that it was cut from a longer stream.
      if (granule !== undefined && offset === undefined && samplesDecoded > 0) {
        if (!isLast) from = Math.max(0, samplesDecoded - granule);
        offset = isLast ? 0 : Math.max(0, granule - samplesDecoded);
      }
      sound.add(channelData, samplesDecoded - from, sampleRate, from);
      position += samplesDecoded - from;
      if (errors.length > 0) warnings.mute("packet", errors.length, before, sound.seconds);
      if (isLast && granule !== undefined) {
        const excess = position - (granule - (offset ?? 0));
        if (excess > 0 && excess <= position) sound.removeLast(excess);
      }
    }
  } finally {
    decoder.free();
  }
}

/** A page in the form of the decoder's parser. */
function page(first: Uint8Array, packets: readonly Uint8Array[], setup?: Uint8Array): ParserPage {
  return {
    [data]: first,
    [codecFrames]: packets.map((packet) => ({
      [data]: packet,
      [header]: { [vorbisSetup]: setup },
    })),
  } as unknown as ParserPage;
}

/**
 * The packets that say how the others are coded, and the groups of packets that hold sound. The
 * packet of tags between them is not needed, and may be lost.
 */
function splitHeaders(stream: readonly PacketGroup[]): {
  identification: Uint8Array;
  setup: Uint8Array;
  groups: PacketGroup[];
} {
  const all = stream.flatMap(({ packets }) => packets);
  const [identification, setup] = [1, 5].map((type) => all.find((p) => headerType(p) === type));
  if (identification === undefined || setup === undefined)
    throw undecodable("The Vorbis file cannot be decoded: its headers are missing or damaged");
  const groups = stream
    .map((group) => ({ ...group, packets: group.packets.filter((p) => headerType(p) === 0) }))
    .filter(({ packets, isLast }) => packets.length > 0 || isLast);
  return { identification, setup, groups };
}

/** 1, 3 or 5; 0 for a packet of sound, whose first bit is 0. */
function headerType(packet: Uint8Array): number {
  const isHeader = Buffer.from(packet.subarray(1, 7)).toString("latin1") === "vorbis";
  return isHeader ? packet[0] : 0;
}
