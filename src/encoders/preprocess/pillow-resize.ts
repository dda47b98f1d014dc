import type { DecodedImage } from "../encoder.js";

/**
 * The part of the resized picture that is wanted; it may reach beyond it and is then filled with
 * zeros.
 */
export interface Region {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Bits after the point of Pillow's fixed-point weights (32 - 8 - 2). */
const precision = 22;
/** One half: what is cut off is rounded. */
const half = 1 << (precision - 1);

const filters = {
  bilinear: { support: 1, at: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  /** Keys' cubic with a = -0.5. */
  bicubic: {
    support: 2,
    at(x: number) {
      const a = -0.5;
      const t = Math.abs(x);
      if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
      if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
      return 0;
    },
  },
  lanczos: { support: 3, at: (x: number) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
  box: { support: 0.5, at: (x: number) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  hamming: {
    support: 1,
    at(x: number) {
      const t = Math.abs(x);
      if (t === 0) return 1;
      return t >= 1 ? 0 : sinc(t) * (0.54 + 0.46 * Math.cos(Math.PI * t));
    },
  },
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/**
 * A region of the picture resized to `width` x `height`, bit for bit what Pillow's `Image.resize`
 * and `crop` give: two passes in 22-bit fixed point with 8 bits in between, the filter widened by
 * the reduction (this is what transformers.js leaves out). Only what the region needs is computed:
 * a 3 x 480 picture resized to 224 x 35,840 costs no more than its centre.
 *
 * Source: Pillow 13, src/libImaging/Resample.c. Its order of passes is new there: before 13 the
 * horizontal pass was always the first, which differs by a unit or two where the height shrinks
 * much more than the width.
 *
 * @returns [region.height, region.width, 3]
 */
export function pillowResize(
  image: DecodedImage,
  size: { width: number; height: number },
  resample: keyof typeof filters,
  region: Region,
): Uint8Array {
  const { left, top, width, height } = region;
  const out = new Uint8Array(width * height * 3);
  const x0 = Math.max(0, left);
  const x1 = Math.min(size.width, left + width);
  const y0 = Math.max(0, top);
  const y1 = Math.min(size.height, top + height);
  if (x1 <= x0 || y1 <= y0) return out;
  const columns = axisWeights(image.width, size.width, resample, x0, x1);
  const rows = axisWeights(image.height, size.height, resample, y0, y1);
  const lostRows = image.height - size.height;
  const verticalFirst = lostRows > 0 && lostRows > 2 * (image.width - size.width);
  const source = { ...image, left: 0, top: 0 };
  const part = verticalFirst
    ? horizontalPass(verticalPass(source, rows, inputRange(columns)), columns, {
        first: 0,
        end: y1 - y0,
      })
    : verticalPass(horizontalPass(source, columns, inputRange(rows)), rows, {
        first: 0,
        end: x1 - x0,
      });
  const rowValues = (x1 - x0) * 3;
  for (let y = 0; y < y1 - y0; y++) {
    const row = part.rgb.subarray(y * rowValues, (y + 1) * rowValues);
    out.set(row, ((y + y0 - top) * width + (x0 - left)) * 3);
  }
  return out;
}

/**
 * A piece of a picture; `left` and `top` say where it lies in the axes that the weights count in.
 */
interface Piece extends DecodedImage {
  left: number;
  top: number;
}

/** Positions [first, end) of an axis. */
interface Range {
  first: number;
  end: number;
}

/**
 * Rows `range` of the input, every output column. Sums stay below 2^31 (Pillow's choice of 22
 * bits), so they are kept as int32 with Math.imul: three times as fast as JavaScript's float64
 * arithmetic.
 */
function horizontalPass(input: Piece, columns: AxisWeights, range: Range): Piece {
  const { first, count, weights, maxCount } = columns;
  const source = input.rgb;
  const width = first.length;
  const height = range.end - range.first;
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = ((y + range.first - input.top) * input.width - input.left) * 3;
    let target = y * width * 3;
    for (let x = 0; x < width; x++) {
      let r = half;
      let g = half;
      let b = half;
      let at = row + first[x] * 3;
      const begin = x * maxCount;
      const end = begin + count[x];
      for (let k = begin; k < end; k++) {
        const weight = weights[k];
        r = (r + Math.imul(source[at], weight)) | 0;
        g = (g + Math.imul(source[at + 1], weight)) | 0;
        b = (b + Math.imul(source[at + 2], weight)) | 0;
        at += 3;
      }
      rgb[target] = clip(r);
      rgb[target + 1] = clip(g);
      rgb[target + 2] = clip(b);
      target += 3;
    }
  }
  return { width, height, rgb, left: 0, top: range.first };
}

/** Columns `range` of the input, every output row. */
function verticalPass(input: Piece, rows: AxisWeights, range: Range): Piece {
  const { first, count, weights, maxCount } = rows;
  const source = input.rgb;
  const width = range.end - range.first;
  const height = first.length;
  const rowValues = width * 3;
  const rgb = new Uint8Array(rowValues * height);
  const sums = new Int32Array(rowValues);
  for (let y = 0; y < height; y++) {
    sums.fill(half);
    for (let k = 0; k < count[y]; k++) {
      const weight = weights[y * maxCount + k];
      const row = ((first[y] - input.top + k) * input.width + range.first - input.left) * 3;
      for (let i = 0; i < rowValues; i++)
        sums[i] = (sums[i] + Math.imul(source[row + i], weight)) | 0;
    }
    const target = y * rowValues;
    for (let i = 0; i < rowValues; i++) rgb[target + i] = clip(sums[i]);
  }
  return { width, height, rgb, left: range.first, top: 0 };
}

function clip(sum: number): number {
  const value = sum >> precision;
  if (value < 0) return 0;
  return Math.min(value, 255);
}

interface AxisWeights {
  /** Where the input of each output position begins, and how many positions it has. */
  first: Int32Array;
  count: Int32Array;
  /** [outputs, most] in fixed point. */
  weights: Int32Array;
  maxCount: number;
}

/** The input positions that some output position needs. */
function inputRange({ first, count }: AxisWeights): Range {
  const last = first.length - 1;
  return { first: first[0], end: first[last] + count[last] };
}

/** Weights of the output positions [from, to) of an axis. */
function axisWeights(
  inSize: number,
  outSize: number,
  resample: keyof typeof filters,
  from: number,
  to: number,
): AxisWeights {
  const filter = filters[resample];
  const scale = inSize / outSize;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const maxCount = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to - from);
  const count = new Int32Array(to - from);
  const weights = new Int32Array((to - from) * maxCount);
  const exact = new Float64Array(maxCount);
  for (let i = 0; i < to - from; i++) {
    const centre = (from + i + 0.5) * scale;
    first[i] = Math.max(0, Math.trunc(centre - support + 0.5));
    count[i] = Math.min(inSize, Math.trunc(centre + support + 0.5)) - first[i];
    let sum = 0;
    for (let k = 0; k < count[i]; k++) {
      exact[k] = filter.at((k + first[i] - centre + 0.5) * (1 / stretch));
      sum += exact[k];
    }
    for (let k = 0; k < count[i]; k++) {
      const weight = (sum === 0 ? exact[k] : exact[k] / sum) * (1 << precision);
      weights[i * maxCount + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  }
  return { first, count, weights, maxCount };
}
