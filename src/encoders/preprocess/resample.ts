/**
 * Zero crossings on each side of the filter, and its Kaiser beta: those of
 * scipy.signal.resample_poly.
 */
const zeroCrossings = 10;
const beta = 5;

/** Filters by "up/down"; a server sees a handful of rates. */
const filters = new Map<string, Filter>();
const maxFilters = 64;

/**
 * Taps of the largest filter that is made tap by tap: 767,999 to 48,000 Hz would take 15 million,
 * 2.5 s and 246 MB.
 */
const maxTaps = 100_000;
/** Points of the curve from which the taps of larger filters are read, for each zero crossing. */
const pointsPerCrossing = 4096;

/** Which outputs are wanted: from `start` to before `end`. */
export interface SampleRange {
  start: number;
  end: number;
}

/** Samples that `length` samples become. */
export function resampledLength(length: number, fromHz: number, toHz: number): number {
  const { up, down } = lowestTerms(fromHz, toHz);
  return Math.ceil((length * up) / down);
}

/**
 * Changes the sample rate with a Kaiser-windowed sinc low-pass at the lower of the two Nyquist
 * frequencies.
 *
 *   y[k] = sum_i x[i] h[k down - i up + L],   up/down = toHz/fromHz in lowest terms
 *
 * The same numbers as scipy.signal.resample_poly(x, up, down) with its default window ("kaiser",
 * 5.0), which the Python goldens use. Source: scipy/signal/_signaltools.py, resample_poly and
 * firwin, scipy 1.16.
 *
 * @param samples  [n]
 * @param range  which part of the result to compute; all by default.
 * @returns [ceil(n toHz / fromHz)], or as many as the range has
 */
export function resample(
  samples: Float32Array,
  fromHz: number,
  toHz: number,
  range: SampleRange = { start: 0, end: resampledLength(samples.length, fromHz, toHz) },
): Float32Array {
  if (fromHz === toHz) return samples.subarray(range.start, range.end);
  const { up, down } = lowestTerms(fromHz, toHz);
  if (2 * zeroCrossings * Math.max(up, down) > maxTaps)
    return resampleByCurve(samples, up, down, range);
  const { phases, reach } = phasesOf(up, down);
  const result = new Float32Array(range.end - range.start);
  for (let k = 0; k < result.length; k++) {
    const centre = (range.start + k) * down;
    const earliest = Math.ceil((centre - reach) / up);
    const taps = phases[(earliest * up - centre + reach) % up];
    const begin = Math.max(0, -earliest);
    const end = Math.min(taps.length, samples.length - earliest);
    let sum = 0;
    for (let j = begin; j < end; j++) sum += samples[earliest + j] * taps[j];
    result[k] = sum;
  }
  return result;
}

interface Filter {
  phases: Float64Array[];
  reach: number;
}

/**
 * The filter h [2 L + 1], L = zeroCrossings * max(up, down), with a gain of `up` at 0 Hz, sorted by
 * phase: output k uses every `up`-th tap, and `phases[p]` holds those from the one that meets the
 * earliest sample on, h[2 L - p - j up].
 */
function phasesOf(up: number, down: number): Filter {
  const key = `${up}/${down}`;
  const cached = filters.get(key);
  if (cached !== undefined) return cached;
  const widest = Math.max(up, down);
  const reach = zeroCrossings * widest;
  const h = new Float64Array(2 * reach + 1);
  let sum = 0;
  for (let m = 0; m < h.length; m++) {
    h[m] = windowedSinc((m - reach) / widest);
    sum += h[m];
  }
  const phases = Array.from({ length: up }, (_, p) => {
    const count = Math.max(0, Math.floor((2 * reach - p) / up) + 1);
    return Float64Array.from({ length: count }, (_, j) => (h[2 * reach - p - j * up] * up) / sum);
  });
  const filter = { phases, reach };
  if (filters.size >= maxFilters) filters.clear();
  filters.set(key, filter);
  return filter;
}

/**
 * The same sum for rates with almost no common divisor, such as 44,101 Hz or 767,999 Hz: its taps
 * are samples of one curve, which is kept as a table. Straight lines between its points are off by
 * 1e-7 of the largest tap.
 */
function resampleByCurve(
  samples: Float32Array,
  up: number,
  down: number,
  { start, end }: SampleRange,
): Float32Array {
  const { values, area } = sincCurve();
  const widest = Math.max(up, down);
  const scale = pointsPerCrossing / widest;
  const gain = up / (widest * area);
  const result = new Float32Array(end - start);
  for (let k = 0; k < result.length; k++) {
    const centre = (start + k) * down;
    const first = Math.max(0, Math.ceil((centre - zeroCrossings * widest) / up));
    const last = Math.min(samples.length - 1, Math.floor((centre + zeroCrossings * widest) / up));
    let sum = 0;
    for (let i = first; i <= last; i++) {
      const at = Math.abs(centre - i * up) * scale;
      const point = Math.floor(at);
      sum += samples[i] * (values[point] + (at - point) * (values[point + 1] - values[point]));
    }
    result[k] = gain * sum;
  }
  return result;
}

let curve: { values: Float64Array; area: number } | undefined;

/** The windowed sinc from its middle to its end, and the area under both its halves. */
function sincCurve() {
  if (curve === undefined) {
    const count = zeroCrossings * pointsPerCrossing;
    const values = new Float64Array(count + 2); // one more, for the last interpolation
    for (let i = 0; i <= count; i++) values[i] = windowedSinc(i / pointsPerCrossing);
    const area =
      (2 * values.reduce((sum, value) => sum + value, 0) - values[0]) / pointsPerCrossing;
    curve = { values, area };
  }
  return curve;
}

/** sinc(x) in a Kaiser window, x in zero crossings from the middle. */
function windowedSinc(x: number): number {
  const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  return sinc * besselI0(beta * Math.sqrt(Math.max(0, 1 - (x / zeroCrossings) ** 2)));
}

/** Modified Bessel function of the first kind, order 0, by its power series. `besselI0(0)` is 1. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function lowestTerms(fromHz: number, toHz: number): { up: number; down: number } {
  const divisor = gcd(fromHz, toHz);
  return { up: toHz / divisor, down: fromHz / divisor };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
