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
