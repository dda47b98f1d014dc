/** Zero crossings on each side of the filter, and its Kaiser beta: those of scipy.signal.resample_poly. */
const zeroCrossings = 10;
const beta = 5;

/** Filters by "up/down"; a server sees a handful of rates. */
const filters = new Map<string, { phases: Float64Array[]; reach: number }>();
/** Rates come from uploads and an odd one, 44,101 Hz, takes 20 * 48,000 taps: only what is cheap to hold is kept. */
const mostTapsKept = 100_000;
const mostFiltersKept = 64;

/**
 * Changes the sample rate with a Kaiser-windowed sinc low-pass at the lower of the two Nyquist frequencies.
 *
 *   y[k] = sum_i x[i] h[k down - i up + L],   up/down = toHz/fromHz in lowest terms
 *
 * The same numbers as scipy.signal.resample_poly(x, up, down) with its default window ("kaiser", 5.0), which the Python
 * goldens use. Source: scipy/signal/_signaltools.py, resample_poly and firwin, scipy 1.16.
 *
 * @param samples  [n]
 * @returns [ceil(n toHz / fromHz)]
 */
export function resample(samples: Float32Array, fromHz: number, toHz: number): Float32Array {
  if (fromHz === toHz) return samples;
  const divisor = gcd(fromHz, toHz);
  const up = toHz / divisor;
  const down = fromHz / divisor;
  const { phases, reach } = phasesOf(up, down);
  const result = new Float32Array(Math.ceil((samples.length * up) / down));
  for (let k = 0; k < result.length; k++) {
    const centre = k * down;
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

/**
 * The filter h [2 L + 1], L = zeroCrossings * max(up, down), with a gain of `up` at 0 Hz, sorted by phase: output k uses
 * every `up`-th tap, and `phases[p]` holds those from the one that meets the earliest sample on, h[2 L - p - j up].
 */
function phasesOf(up: number, down: number): { phases: Float64Array[]; reach: number } {
  const key = `${up}/${down}`;
  const known = filters.get(key);
  if (known !== undefined) return known;
  const widest = Math.max(up, down);
  const reach = zeroCrossings * widest;
  const h = new Float64Array(2 * reach + 1);
  let sum = 0;
  for (let m = 0; m < h.length; m++) {
    const x = (Math.PI * (m - reach)) / widest;
    const sinc = x === 0 ? 1 : Math.sin(x) / x;
    h[m] = sinc * besselI0(beta * Math.sqrt(Math.max(0, 1 - ((m - reach) / reach) ** 2)));
    sum += h[m];
  }
  const phases = Array.from({ length: up }, (_, p) => {
    const count = Math.max(0, Math.floor((2 * reach - p) / up) + 1);
    return Float64Array.from({ length: count }, (_, j) => (h[2 * reach - p - j * up] * up) / sum);
  });
  const made = { phases, reach };
  if (h.length <= mostTapsKept) {
    if (filters.size >= mostFiltersKept) filters.clear();
    filters.set(key, made);
  }
  return made;
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

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
