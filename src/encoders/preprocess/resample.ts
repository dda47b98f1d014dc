/** Zero crossings on each side of the filter, and its Kaiser beta: those of scipy.signal.resample_poly. */
const zeroCrossings = 10;
const beta = 5;

/** Filters by "up/down"; a server sees a handful of rates. */
const filters = new Map<string, Float64Array>();

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
  const h = lowPass(up, down);
  const reach = (h.length - 1) / 2;
  const result = new Float32Array(Math.ceil((samples.length * up) / down));
  for (let k = 0; k < result.length; k++) {
    const centre = k * down;
    const first = Math.max(0, Math.ceil((centre - reach) / up));
    const last = Math.min(samples.length - 1, Math.floor((centre + reach) / up));
    let sum = 0;
    for (let i = first, tap = centre - first * up + reach; i <= last; i++, tap -= up) sum += samples[i] * h[tap];
    result[k] = sum;
  }
  return result;
}

/** The filter's taps [2 L + 1], L = zeroCrossings * max(up, down), with a gain of `up` at 0 Hz. */
function lowPass(up: number, down: number): Float64Array {
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
  for (let m = 0; m < h.length; m++) h[m] *= up / sum;
  if (filters.size >= 64) filters.clear(); // rates come from uploads: the memory for them is bounded
  filters.set(key, h);
  return h;
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
