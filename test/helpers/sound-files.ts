/**
 * Sound files made byte by byte, after the formats' specifications; no decoder of ours has a hand
 * in them.
 */

/** 16-bit samples of a tone that nobody would take for another, interleaved. */
export function toneSamples(frames: number, channels = 1): Int16Array {
  return Int16Array.from({ length: frames * channels }, (_, i) => {
    const t = Math.floor(i / channels);
    return Math.round(9000 * Math.sin(t / 9) + 4000 * Math.sin(t / (3.3 + (i % channels))));
  });
}

export type Content =
  | string
  | Uint8Array
  | { u8?: number; u16?: number; u32?: number; u64?: number; f64?: number };

/** Bytes from texts (Latin-1), arrays and numbers. */
export function bytesOf(contents: readonly Content[], littleEndian: boolean): Buffer {
  return Buffer.concat(
    contents.map((content) => {
      if (typeof content === "string") return Buffer.from(content, "latin1");
      if (content instanceof Uint8Array) return content;
      const view = new DataView(new ArrayBuffer(8));
      const part = (length: number) => new Uint8Array(view.buffer, 0, length);
      if (content.u8 !== undefined) {
        view.setUint8(0, content.u8);
        return part(1);
      }
      if (content.u16 !== undefined) {
        view.setUint16(0, content.u16, littleEndian);
        return part(2);
      }
      if (content.u32 !== undefined) {
        view.setUint32(0, content.u32, littleEndian);
        return part(4);
      }
      if (content.u64 !== undefined) view.setBigUint64(0, BigInt(content.u64), littleEndian);
      else view.setFloat64(0, content.f64 ?? 0, littleEndian);
      return part(8);
    }),
  );
}

/** 16-bit samples in either byte order. */
export function int16Bytes(samples: Int16Array, littleEndian: boolean): Uint8Array {
  return bytesOf(
    Array.from(samples, (sample) => ({ u16: sample & 0xffff })),
    littleEndian,
  );
}

export interface WavOptions {
  id?: "RIFF" | "RIFX" | "RF64" | "BW64";
  tag?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  blockAlign?: number;
  /** Bytes of the `fmt ` chunk behind its 16. */
  extra?: Uint8Array;
  /** What the header says that `data` holds; in RF64 and BW64 the `ds64` chunk says it. */
  claimed?: number;
  /** Chunks before `data` and bytes behind it. */
  before?: Uint8Array;
  behind?: Uint8Array;
}

export function wavFile(data: Uint8Array, options: WavOptions = {}): Buffer {
  const {
    id = "RIFF",
    tag = 1,
    channels = 1,
    rate = 16_000,
    bits = 16,
    extra = new Uint8Array(0),
  } = options;
  const { before = new Uint8Array(0), behind = new Uint8Array(0), claimed = data.length } = options;
  const little = id !== "RIFX";
  const align = options.blockAlign ?? Math.ceil(bits / 8) * channels;
  const isLong = id === "RF64" || id === "BW64";
  const ds64: Content[] = isLong
    ? ["ds64", { u32: 28 }, { u64: 0 }, { u64: claimed }, { u64: 0 }, { u32: 0 }]
    : [];
  const format: Content[] = [
    "fmt ",
    { u32: 16 + extra.length },
    { u16: tag },
    { u16: channels },
    { u32: rate },
    { u32: rate * align },
    { u16: align },
    { u16: bits },
    extra,
  ];
  const rest = bytesOf(
    [
      "WAVE",
      ...ds64,
      ...format,
      before,
      "data",
      { u32: isLong ? 0xffffffff : claimed },
      data,
      behind,
    ],
    little,
  );
  return bytesOf([id, { u32: isLong ? 0xffffffff : rest.length }, rest], little);
}

/** Sony Wave64, 16-bit PCM. */
export function w64File(data: Uint8Array, { rate = 16_000, channels = 1 } = {}): Buffer {
  const guid = (id: string, hex: string) =>
    Buffer.concat([Buffer.from(id), Buffer.from(hex, "hex")]);
  const tail = "f3acd3118cd100c04f8edb8a";
  const format = bytesOf(
    [
      { u16: 1 },
      { u16: channels },
      { u32: rate },
      { u32: 2 * channels * rate },
      { u16: 2 * channels },
      { u16: 16 },
    ],
    true,
  );
  const rest = bytesOf(
    [
      guid("wave", tail),
      guid("fmt ", tail),
      { u64: 24 + format.length },
      format,
      guid("data", tail),
      { u64: 24 + data.length },
      data,
    ],
    true,
  );
  return bytesOf([guid("riff", "2e91cf11a5d628db04c10000"), { u64: 24 + rest.length }, rest], true);
}

export interface AiffOptions {
  /** Makes it AIFF-C. */
  type?: string;
  bits?: number;
  channels?: number;
  rate?: number;
  frames: number;
}

export function aiffFile(
  data: Uint8Array,
  { type, bits = 16, channels = 1, rate = 16_000, frames }: AiffOptions,
): Buffer {
  // The rate as an 80-bit float: exponent, then 64 bits of mantissa.
  const exponent = Math.floor(Math.log2(rate));
  const mantissa = BigInt(rate) << BigInt(63 - exponent);
  const common = bytesOf(
    [
      { u16: channels },
      { u32: frames },
      { u16: bits },
      { u16: 16383 + exponent },
      bigEndian64(mantissa),
      ...(type === undefined ? [] : [type, "\0\0"]),
    ],
    false,
  );
  const chunks = bytesOf(
    [
      type === undefined ? "AIFF" : "AIFC",
      ...(type === undefined ? [] : ["FVER", { u32: 4 }, { u32: 0xa2805140 }]),
      "COMM",
      { u32: common.length },
      common,
      "SSND",
      { u32: data.length + 8 },
      { u32: 0 },
      { u32: 0 },
      data,
    ],
    false,
  );
  return bytesOf(["FORM", { u32: chunks.length }, chunks], false);
}

function bigEndian64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

export function auFile(
  data: Uint8Array,
  { encoding = 3, rate = 16_000, channels = 1, claimed = data.length } = {},
): Buffer {
  return bytesOf(
    [
      ".snd",
      { u32: 28 },
      { u32: claimed },
      { u32: encoding },
      { u32: rate },
      { u32: channels },
      { u32: 0 },
      data,
    ],
    false,
  );
}

export interface CafOptions {
  type?: string;
  flags?: number;
  bits?: number;
  channels?: number;
  rate?: number;
  bytesPerPacket?: number;
  framesPerPacket?: number;
  /** What the header says that the data chunk holds, with its edit count of 4; -1: to the end. */
  claimed?: number;
}

export function cafFile(data: Uint8Array, options: CafOptions = {}): Buffer {
  const { type = "lpcm", flags = 0, bits = 16, channels = 1, rate = 16_000 } = options;
  const { bytesPerPacket = 2 * channels, framesPerPacket = 1 } = options;
  const { claimed = data.length + 4 } = options;
  const size = claimed < 0 ? Buffer.alloc(8, 0xff) : bytesOf([{ u64: claimed }], false);
  return bytesOf(
    [
      "caff",
      { u16: 1 },
      { u16: 0 },
      "desc",
      { u64: 32 },
      { f64: rate },
      type,
      { u32: flags },
      { u32: bytesPerPacket },
      { u32: framesPerPacket },
      { u32: channels },
      { u32: bits },
      "data",
      size,
      { u32: 0 },
      data,
    ],
    false,
  );
}

/** An ID3v2 tag with a comment of so many bytes. */
export function id3(length: number): Buffer {
  const size = Buffer.from(
    [length >> 21, length >> 14, length >> 7, length].map((byte) => byte & 127),
  );
  return Buffer.concat([
    Buffer.from("ID3\x04\0\0", "latin1"),
    size,
    Buffer.alloc(length, "x\xff\xfb\x90", "latin1"),
  ]);
}

/** An ID3v1 tag. */
export function id3v1(): Buffer {
  return Buffer.concat([Buffer.from("TAGA song"), Buffer.alloc(119)]);
}

/** An APE tag (version 2) with one field, with header and footer. */
export function apeTag(): Buffer {
  const item = Buffer.concat([bytesOf([{ u32: 4 }, { u32: 0 }], true), Buffer.from("Title\0song")]);
  const part = (flags: number) =>
    bytesOf(
      [
        "APETAGEX",
        { u32: 2000 },
        { u32: item.length + 32 },
        { u32: 1 },
        { u32: flags },
        Buffer.alloc(8),
      ],
      true,
    );
  return Buffer.concat([part(0xa0000000), item, part(0x80000000)]);
}

/** A Lyrics3v2 tag. */
export function lyrics3(): Buffer {
  const body = "LYRICSBEGININD0000200";
  return Buffer.from(`${body}${String(body.length).padStart(6, "0")}LYRICS200`);
}

/**
 * Places where a FLAC frame of fixed block size begins: its sync code and the same header bytes as
 * the first.
 */
export function flacFrameStarts(file: Uint8Array): number[] {
  const bytes = Buffer.from(file);
  const first = bytes.indexOf(Buffer.from([0xff, 0xf8]));
  const head = bytes.subarray(first, first + 4);
  const starts: number[] = [];
  for (let at = bytes.indexOf(head); at >= 0; at = bytes.indexOf(head, at + 1)) starts.push(at);
  return starts;
}
