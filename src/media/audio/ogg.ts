import { decodeWithFfmpeg } from "./ffmpeg.js";
import { decodeOggFlac } from "./flac.js";
import { type PageScan, scanPages } from "./ogg-pages.js";
import { type OggCodec, type OggLink, type OggStream, splitStreams } from "./ogg-streams.js";
import { decodeOpusStream } from "./opus.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable } from "./undecodable.js";
import { decodeVorbisStream } from "./vorbis.js";
import type { Warnings } from "./warnings.js";

type Decode = (stream: OggStream, sound: SoundBuilder, warnings: Warnings) => Promise<void>;

const decoders: Partial<Record<OggCodec, Decode>> = {
  opus: decodeOpusStream,
  vorbis: decodeVorbisStream,
  flac: decodeOggFlac,
};
const names: Record<OggCodec, string> = {
  opus: "Opus",
  vorbis: "Vorbis",
  flac: "FLAC",
  speex: "Speex",
  theora: "Theora (video)",
  skeleton: "Skeleton",
  other: "unknown",
};

/**
 * Ogg with Opus, Vorbis or FLAC: several links in sequence, each at its own rate; of simultaneous
 * streams the first sound. Other codecs go to ffmpeg. Sources: RFC 3533, RFC 7845.
 */
export async function decodeOgg(
  bytes: Uint8Array,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const scan = scanPages(bytes);
  const { links, orphans } = splitStreams(scan.pages);
  warnOfDamage(scan, orphans, warnings);
  if (links.length === 0) {
    const reason =
      orphans > 0
        ? "it starts in the middle of a stream whose headers are missing"
        : "it has no intact page";
    throw undecodable(`The Ogg file cannot be decoded: ${reason}`);
  }
  if (links.every((link) => soundOf(link) === undefined)) {
    await decodeWithFfmpeg(
      bytes,
      { demuxer: "ogg", name: `Ogg with ${codecsOf(links)}` },
      sound,
      warnings,
    );
    return;
  }
  for (const [i, link] of links.entries()) {
    const stream = soundOf(link);
    const others = link.filter((other) => other !== stream && other.codec !== "skeleton");
    for (const { codec } of others)
      warnings.add(`Another stream of the file was skipped: ${names[codec]}`);
    if (stream === undefined)
      warnings.add(`Part ${i + 1} of the file holds no sound that can be decoded`);
    else await decoders[stream.codec]?.(stream, sound, warnings);
  }
}

function soundOf(link: OggLink): OggStream | undefined {
  return link.find(({ codec }) => decoders[codec] !== undefined);
}

function codecsOf(links: readonly OggLink[]): string {
  return [...new Set(links.flat().map(({ codec }) => names[codec]))].join(", ");
}

function warnOfDamage(
  { damagedBytes, mendedPages, isCut }: PageScan,
  orphans: number,
  warnings: Warnings,
): void {
  if (isCut) warnings.add("The file is cut short: its last page is incomplete");
  if (mendedPages > 0)
    warnings.add(
      `A wrong byte in ${mendedPages} pages of the file was restored by their checksums`,
    );
  if (damagedBytes > 0)
    warnings.add(
      `${damagedBytes} bytes of the file are damaged (wrong checksum or not an Ogg page)`,
    );
  if (orphans > 0)
    warnings.add(`${orphans} pages belong to a stream whose beginning is missing and were skipped`);
}
