/**
 * Positions in Layer III's side information. Source: ISO 11172-3, section 2.4.1.7.
 */
interface SideLayout {
  isMpeg1: boolean;
  isMono: boolean;
}

/** The most pairs of values that a granule of 576 samples can hold. */
const maxBigValues = 288;

/** Bytes by which a frame's main data begins before it. */
export function mainDataBegin(side: Uint8Array, { isMpeg1 }: SideLayout): number {
  return isMpeg1 ? (side[0] << 1) | (side[1] >> 7) : side[0];
}

export function setMainDataBegin(side: Uint8Array, { isMpeg1 }: SideLayout, bytes: number): void {
  side[0] = isMpeg1 ? bytes >> 1 : bytes;
  if (isMpeg1) side[1] = (side[1] & 0x7f) | ((bytes & 1) << 7);
}

/**
 * part2_3_length of each granule of each channel: the bits of its main data, in sequence.
 */
export function granuleBits(side: Uint8Array, layout: SideLayout): number[] {
  return granules(layout).map((start) => bitsAt(side, start, 12));
}

/** Makes a granule silent: without main data and without values. */
export function clearGranule(side: Uint8Array, layout: SideLayout, granule: number): void {
  const start = granules(layout)[granule];
  for (let i = start; i < start + 21; i++) side[i >> 3] &= ~(0x80 >> (i & 7));
}

/** Whether bytes are plausible side information: others seldom pass. */
export function isPlausible(side: Uint8Array, layout: SideLayout, frameBytes: number): boolean {
  const longestBack = layout.isMpeg1 ? 511 : 255;
  const bits = granuleBits(side, layout).reduce((sum, size) => sum + size, 0);
  if (bits > 8 * (frameBytes + longestBack)) return false;
  return granules(layout).every((start) => bitsAt(side, start + 12, 9) <= maxBigValues);
}

/** Where the fields of each granule of each channel begin, in bits. */
function granules({ isMpeg1, isMono }: SideLayout): number[] {
  // Before them: main_data_begin, private bits and, in MPEG-1, scfsi.
  const first = isMpeg1 ? (isMono ? 9 + 5 + 4 : 9 + 3 + 8) : isMono ? 8 + 1 : 8 + 2;
  const count = (isMpeg1 ? 2 : 1) * (isMono ? 1 : 2);
  return Array.from({ length: count }, (_, i) => first + i * (isMpeg1 ? 59 : 63));
}

function bitsAt(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++)
    value = (value << 1) | ((bytes[i >> 3] >> (7 - (i & 7))) & 1);
  return value;
}
