import { OpusDecoder } from "opus-decoder";
import type { OggStream, PacketGroup } from "./ogg-streams.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable, unsupported } from "./undecodable.js";
import type { Warnings } from "./warnings.js";

const sampleRateHz = 48_000;
/**
 * The longest silence in place of lost pages: a granule position may be wrong itself.
 */
const longestGap = 600 * sampleRateHz;
/** Packets too damaged for the decoder: see `_inputSize` of opus-decoder. */
const maxPacketBytes = 3840;

/**
 * Adds an Opus stream: gain applied, pre-skip and the end inside of the last packet honoured.
 * Source: RFC 7845, section 4.
 */
export async function decodeOpusStream(
  stream: OggStream,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const head = readHead(stream.groups[0]?.packets[0] ?? new Uint8Array(0));
  const { gain, preSkip, ...options } = head;
  const samples = withoutHeaders(stream.groups)
    .flatMap(({ packets }) => packets)
    .map(packetSamples);
  const parts = [-preSkip, ...samples].map((count) => ({ samples: count, sampleRateHz }));
  sound.expectAll(parts, options.channels);
  const decoder = new OpusDecoder(options);
  await decoder.ready;
  try {
    /**
     * Samples decoded or in place of lost ones; `offset` is the granule position of the first.
     */
    let position = 0;
    let offset: number | undefined;
    let skip = preSkip;
    const add = (channels: readonly Float32Array[], count: number) => {
      const skipped = Math.min(skip, count);
      skip -= skipped;
      position += count;
      if (gain !== 1)
        for (const channel of channels) for (let i = 0; i < count; i++) channel[i] *= gain;
      sound.add(channels, count - skipped, sampleRateHz, skipped);
    };
    const addSilence = (count: number) => {
      const skipped = Math.min(skip, count);
      skip -= skipped;
      position += count;
      sound.addSilence(count - skipped, sampleRateHz);
    };
    for (const { packets, granule, isLast, isAfterLoss } of withoutHeaders(stream.groups)) {
      const lengths = packets.map(packetSamples);
      const total = lengths.reduce((sum, length) => sum + length, 0);
      if (isAfterLoss && granule !== undefined && offset !== undefined) {
        const gap = granule - offset - position - total;
        if (gap > 0 && gap <= longestGap) addSilence(gap);
      }
      for (const [i, packet] of packets.entries()) {
        const at = sound.seconds;
        const decoded =
          packet.length > 0 && packet.length <= maxPacketBytes * options.channels
            ? decoder.decodeFrame(packet)
            : undefined;
        if (decoded === undefined || decoded.errors.length > 0) {
          addSilence(lengths[i]);
          warnings.mute("packet", 1, at, sound.seconds);
        } else add(decoded.channelData, decoded.samplesDecoded);
      }
      if (granule === undefined) continue;
      // A stream that was cut out of a longer one begins at a later position; one of a single page
      // may end inside of it.
      offset ??= isLast ? 0 : Math.max(0, granule - position);
      if (isLast) {
        const excess = position - (granule - offset);
        if (excess > 0) sound.removeLast(Math.min(excess, Math.max(0, position - preSkip)));
      }
    }
  } finally {
    decoder.free();
  }
}

/** The groups of packets that hold sound: the tags may be lost. */
function withoutHeaders(groups: readonly PacketGroup[]): PacketGroup[] {
  const isHeader = (packet: Uint8Array) =>
    /^Opus(Head|Tags)/.test(Buffer.from(packet.subarray(0, 8)).toString("latin1"));
  return groups
    .map((group) => ({ ...group, packets: group.packets.filter((packet) => !isHeader(packet)) }))
    .filter(({ packets, isLast }) => packets.length > 0 || isLast);
}

/** The OpusHead packet. Source: RFC 7845, section 5.1. */
function readHead(packet: Uint8Array) {
  if (packet.length < 19)
    throw undecodable("The Opus file cannot be decoded: its header is cut short");
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const channels = view.getUint8(9);
  const family = view.getUint8(18);
  const common = {
    channels,
    preSkip: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
  };
  if (channels === 0) throw undecodable("The Opus file cannot be decoded: it has no channels");
  if (view.getUint8(8) >> 4 !== 0) throw unsupported("The Opus file has a later version");
  if (family === 0) {
    if (channels > 2)
      throw undecodable(`The Opus file cannot be decoded: it has ${channels} channels`);
    return {
      ...common,
      streamCount: 1,
      coupledStreamCount: channels - 1,
      channelMappingTable: channels === 2 ? [0, 1] : [0],
    };
  }
  if (family === 3)
    throw unsupported("The Opus file is ambisonic with a matrix of its own (mapping family 3)");
  if (packet.length < 21 + channels)
    throw undecodable("The Opus file cannot be decoded: its header is cut short");
  return {
    ...common,
    streamCount: view.getUint8(19),
    coupledStreamCount: view.getUint8(20),
    channelMappingTable: Array.from({ length: channels }, (_, i) => view.getUint8(21 + i)),
  };
}

/**
 * Samples of a packet at 48 kHz, by its first bytes; 0 for an invalid one. Source: RFC
 * 6716, section 3.1.
 */
function packetSamples(packet: Uint8Array): number {
  if (packet.length === 0) return 0;
  const config = packet[0] >> 3;
  const size =
    config < 12
      ? [480, 960, 1920, 2880][config & 3]
      : config < 16
        ? [480, 960][config & 1]
        : [120, 240, 480, 960][config & 3];
  const code = packet[0] & 3;
  const count = code === 0 ? 1 : code < 3 ? 2 : packet.length > 1 ? packet[1] & 63 : 0;
  return size * count > 5760 ? 0 : size * count;
}
