/** The layout of a decoded picture's samples. */
export interface SampleLayout {
  /** Samples of each pixel, colours first. */
  channels: number;
  /** 1 for grey, 3 for RGB, 4 for CMYK. */
  colours: number;
  /** Which sample is the alpha channel; other extra samples are dropped. */
  alpha: number | undefined;
}

/**
 * Grey or RGB, with or without alpha composited on white -> RGB.
 * @param data  [height, width, channels], 8 bits a sample.
 */
export function fromColour(
  data: Uint8Array,
  { channels, colours, alpha }: SampleLayout,
): Uint8Array {
  if (channels === 3 && colours === 3) return data;
  const pixels = data.length / channels;
  const step = colours === 1 ? 0 : 1;
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const at = i * channels;
    const opacity = alpha === undefined ? 255 : data[at + alpha];
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = onWhite(data[at + c * step], opacity);
  }
  return rgb;
}

/** A value composited on white, in the fixed point of Pillow's AlphaComposite.c. */
function onWhite(value: number, alpha: number): number {
  const sum = value * alpha * 128 + 255 * (255 - alpha) * 128 + (0x80 << 7);
  return ((sum >> 8) + sum) >> 15;
}

/** Pillow's Convert.c, cmyk2rgb: channel = K' - ink K' / 255, K' = 255 - K, with its rounding. */
export function fromCmyk(data: Uint8Array, { channels }: SampleLayout): Uint8Array {
  const pixels = data.length / channels;
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const light = 255 - data[i * channels + 3];
    for (let c = 0; c < 3; c++) {
      const product = data[i * channels + c] * light + 128;
      rgb[3 * i + c] = Math.max(0, light - (((product >> 8) + product) >> 8));
    }
  }
  return rgb;
}

/**
 * Full-range YCbCr by the coefficients of ITU-R BT.601, as JPEG's.
 * Source: Pillow's ConvertYCbCr.c, whose tables hold 64 steps a unit.
 */
export function fromYCbCr(data: Uint8Array, { channels }: SampleLayout): Uint8Array {
  const pixels = data.length / channels;
  const rgb = new Uint8Array(3 * pixels);
  const clipped = (value: number) => Math.min(255, Math.max(0, value));
  const scaled = (factor: number, value: number) => Math.round(factor * 64 * (value - 128));
  for (let i = 0; i < pixels; i++) {
    const [y, cb, cr] = data.subarray(i * channels, i * channels + 3);
    rgb[3 * i] = clipped(y + (scaled(1.402, cr) >> 6));
    rgb[3 * i + 1] = clipped(y + ((scaled(-0.34414, cb) + scaled(-0.71414, cr)) >> 6));
    rgb[3 * i + 2] = clipped(y + (scaled(1.772, cb) >> 6));
  }
  return rgb;
}

/** 16 bits -> the upper 8, as Pillow and libvips take them for RGB. `257 * v` becomes `v`. */
export function upperBytes(data: Buffer): Uint8Array {
  const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  return Uint8Array.from(samples, (sample) => sample >> 8);
}
