export interface Chunk {
  id: string;
  /** Where its content begins, and how long the header says it is. */
  start: number;
  size: number;
}

export interface RiffFile {
  littleEndian: boolean;
  chunks: Chunk[];
}

const w64Riff = "726966662e91cf11a5d628db04c10000";

/** Whether a file is RIFF, RIFX, RF64 or BW64 with WAVE in it, or Sony Wave64. */
export function isWav(bytes: Uint8Array): boolean {
  const text = String.fromCharCode(...bytes.subarray(0, 12));
  if (/^(RIFF|RIFX|RF64|BW64)/.test(text)) return text.slice(8) === "WAVE";
  return isW64(bytes);
}

function isW64(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 16)).toString("hex") === w64Riff;
}

/**
 * The chunks of a WAV file in their order, up to one that reaches beyond the file. Sources:
 * Microsoft, Multimedia Programming Interface 1.0 (RIFF, RIFX); EBU Tech 3306 (RF64); ITU-R BS.2088
 * (BW64); Sony, Wave64 1.0.
 */
export function readRiff(bytes: Uint8Array): RiffFile {
  if (isW64(bytes)) return { littleEndian: true, chunks: w64Chunks(bytes) };
  const littleEndian = bytes[3] !== 0x58; // RIFX
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let longSize: number | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = idAt(bytes, at);
    let size = view.getUint32(at + 4, littleEndian);
    const start = at + 8;
    if (id === "ds64" && size >= 16 && start + 16 <= bytes.length)
      longSize = Number(view.getBigUint64(start + 8, littleEndian));
    if (id === "data" && size === 0xffffffff && longSize !== undefined) size = longSize;
    chunks.push({ id, start, size });
    const end = start + size;
    // Chunks of odd length are followed by a byte of padding, which some writers forget.
    at = size % 2 === 1 && !isId(bytes, end + 1) && isId(bytes, end) ? end : end + (size % 2);
  }
  return { littleEndian, chunks };
}

function w64Chunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = 40; at + 24 <= bytes.length; ) {
    const chunkLength = Number(view.getBigUint64(at + 16, true));
    chunks.push({ id: idAt(bytes, at), start: at + 24, size: Math.max(0, chunkLength - 24) });
    at += Math.max(24, Math.ceil(chunkLength / 8) * 8);
  }
  return chunks;
}

/** Whether a position holds a chunk's name. */
export function isId(bytes: Uint8Array, at: number): boolean {
  return at + 4 <= bytes.length && /^[\x20-\x7e]{4}$/.test(idAt(bytes, at));
}

function idAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
