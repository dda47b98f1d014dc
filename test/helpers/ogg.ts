/** The pages of an Ogg file that is whole, one behind the other (RFC 3533, section 6). */
export function oggPages(bytes: Uint8Array): Buffer[] {
  const file = Buffer.from(bytes);
  const pages: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const count = file[at + 26];
    const length = file
      .subarray(at + 27, at + 27 + count)
      .reduce((sum, size) => sum + size, 27 + count);
    pages.push(Buffer.from(file.subarray(at, at + length)));
    at += length;
  }
  return pages;
}

/** A page with its checksum as it should be: bit by bit, as the RFC describes it. */
export function withChecksum(page: Uint8Array): Buffer {
  const out = Buffer.from(page);
  out.writeUInt32LE(0, 22);
  let crc = 0;
  for (const byte of out) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  out.writeUInt32LE(crc >>> 0, 22);
  return out;
}

/** Pages of another stream: with the serial number given. */
export function withSerial(pages: readonly Uint8Array[], serial: number): Buffer[] {
  return pages.map((page) => {
    const out = Buffer.from(page);
    out.writeUInt32LE(serial, 14);
    return withChecksum(out);
  });
}

/** A page of one packet. */
export function oggPage(
  packet: Uint8Array,
  {
    serial,
    sequence = 0,
    flags = 2,
    granule = 0,
  }: { serial: number; sequence?: number; flags?: number; granule?: number },
): Buffer {
  const head = Buffer.alloc(28);
  head.write("OggS", 0);
  head[5] = flags;
  head.writeBigUInt64LE(BigInt(granule), 6);
  head.writeUInt32LE(serial, 14);
  head.writeUInt32LE(sequence, 18);
  head[26] = 1;
  head[27] = packet.length;
  return withChecksum(Buffer.concat([head, packet]));
}

/** A page of whole packets of any length, with its checksum. */
export function oggPageOf(
  packets: readonly Uint8Array[],
  { serial, sequence, flags, granule }: Record<"serial" | "sequence" | "flags" | "granule", number>,
): Buffer {
  const lacing = packets.flatMap(({ length }) => [
    ...Array<number>(Math.floor(length / 255)).fill(255),
    length % 255,
  ]);
  const head = Buffer.alloc(27);
  head.write("OggS", 0);
  head[5] = flags;
  head.writeBigInt64LE(BigInt(granule), 6);
  head.writeUInt32LE(serial, 14);
  head.writeUInt32LE(sequence, 18);
  head[26] = lacing.length;
  return withChecksum(Buffer.concat([head, Buffer.from(lacing), ...packets]));
}

/** The pages of one packet of any length, each full but the last. */
export function oggPacketPages(
  packet: Uint8Array,
  { serial, sequence }: { serial: number; sequence: number },
): Buffer[] {
  const perPage = 255 * 255;
  const count = Math.floor(packet.length / perPage) + 1;
  return Array.from({ length: count }, (_, i) => {
    const part = packet.subarray(i * perPage, (i + 1) * perPage);
    const isEnd = i === count - 1;
    const place = { serial, sequence: sequence + i, flags: i === 0 ? 0 : 1 };
    const page = oggPageOf([part], { ...place, granule: isEnd ? 0 : -1 });
    if (isEnd) return page;
    // A full page has no lacing value that ends its packet
    const open = Buffer.concat([page.subarray(0, 27 + 255), page.subarray(27 + 256)]);
    open[26] = 255;
    return withChecksum(open);
  });
}

/**
 * The pages of a FLAC file put into Ogg (RFC 9639, section 10.1): STREAMINFO, an empty comment, and
 * the frames, `perPage` on each page.
 */
export function oggFlacPages(
  flac: Uint8Array,
  frameStarts: readonly number[],
  { block, perPage }: { block: number; perPage: number },
): Buffer[] {
  const streamInfo = flac.subarray(0, 42); // "fLaC", its header, 34 bytes
  const first = Buffer.concat([Buffer.from("\x7fFLAC\x01\0\0\x01", "latin1"), streamInfo]);
  first[9 + 4] = 0; // other blocks follow
  const comment = Buffer.from([0x84, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
  const frames = frameStarts.map((start, i) => flac.subarray(start, frameStarts[i + 1]));
  const header = (sequence: number, flags: number) => ({ serial: 9, sequence, flags, granule: 0 });
  const pages = [oggPageOf([first], header(0, 2)), oggPageOf([comment], header(1, 0))];
  for (let i = 0; i < frames.length; i += perPage) {
    const sequence = pages.length;
    const granule = (i + perPage) * block;
    const page = { ...header(sequence, i + perPage < frames.length ? 0 : 4), granule };
    pages.push(oggPageOf(frames.slice(i, i + perPage), page));
  }
  return pages;
}
