import type { OggPage } from "./ogg-pages.js";

/** The complete packets that end on a page, and the page's facts about them. */
export interface PacketGroup {
  packets: Uint8Array[];
  /** Position of the end of its last packet; undefined if the page does not give it. */
  granule: number | undefined;
  isLast: boolean;
  /** Pages are missing before it. */
  isAfterLoss: boolean;
}

export interface OggStream {
  serial: number;
  codec: OggCodec;
  groups: PacketGroup[];
}

export type OggCodec = "opus" | "vorbis" | "flac" | "speex" | "theora" | "skeleton" | "other";

/** Streams that play at the same time. A file may hold several links in sequence. */
export type OggLink = OggStream[];

/**
 * Pages -> links of streams. Pages of a stream without its first page are counted as `orphans`.
 */
export function splitStreams(pages: readonly OggPage[]): { links: OggLink[]; orphans: number } {
  const links: OggLink[] = [];
  const open = new Map<number, Assembly>();
  let orphans = 0;
  let beginning = false;
  for (const page of pages) {
    if (page.isFirst) {
      // All first pages of a link come before any other of its pages.
      if (!beginning) {
        links.push([]);
        open.clear();
      }
      beginning = true;
      const stream: OggStream = {
        serial: page.serial,
        codec: codecOf(page.segments[0]),
        groups: [],
      };
      links.at(-1)?.push(stream);
      open.set(page.serial, new Assembly(stream));
    } else beginning = false;
    const assembly = open.get(page.serial);
    if (assembly === undefined) orphans++;
    else assembly.add(page);
  }
  return { links, orphans };
}

/** Puts the packets of one stream together. */
class Assembly {
  readonly #stream: OggStream;
  #rest: Uint8Array[] = [];
  #sequence: number | undefined;
  #lost = false;

  constructor(stream: OggStream) {
    this.#stream = stream;
  }

  add({ sequence, segments, continues, endsWhole, granule, isLast, isWhole }: OggPage): void {
    // Only FLAC's packets have their own checksums: in a damaged page of another codec it is
    // unknown which packets are right.
    if (!isWhole && this.#stream.codec !== "flac") return;
    const isAfterLoss = this.#sequence !== undefined && sequence !== this.#sequence + 1;
    this.#sequence = sequence;
    if (isAfterLoss) this.#rest = [];
    this.#lost ||= isAfterLoss;
    const packets: Uint8Array[] = [];
    for (const [i, segment] of segments.entries()) {
      const isStart = i > 0 || !continues;
      if (isStart) this.#rest = [];
      else if (this.#rest.length === 0) continue; // the beginning of the packet is lost
      this.#rest.push(segment);
      if (i + 1 === segments.length && !endsWhole) break;
      packets.push(this.#rest.length === 1 ? segment : Buffer.concat(this.#rest));
      this.#rest = [];
    }
    if (packets.length === 0 && !isLast) return;
    const position = granule < 0 || !Number.isSafeInteger(granule) ? undefined : granule;
    this.#stream.groups.push({ packets, granule: position, isLast, isAfterLoss: this.#lost });
    this.#lost = false;
  }
}

function codecOf(packet: Uint8Array = new Uint8Array(0)): OggCodec {
  const text = String.fromCharCode(...packet.subarray(0, 9));
  if (text.startsWith("OpusHead")) return "opus";
  if (text.startsWith("\x01vorbis")) return "vorbis";
  if (text.startsWith("\x7fFLAC")) return "flac";
  if (text.startsWith("Speex   ")) return "speex";
  if (text.startsWith("\x80theora")) return "theora";
  return text.startsWith("fishead") ? "skeleton" : "other";
}
