/**
 * The power spectrum of real frames of one length.
 *
 *   power[k] = |sum_t x[t] exp(-2 pi i k t / n)|^2,   k = 0..n/2
 *
 * A real transform of n points is done as a complex radix-2 transform of n/2 (even samples as real,
 * odd as imaginary parts) and untangled. In float64: the log of small powers needs the digits.
 *
 * @param n  frame length, a power of two of at least 4.
 * @returns a function frame [n] -> power [n/2 + 1], written into `out`. It reuses its buffers: one
 *   caller at a time.
 */
export function powerSpectrum(n: number): (frame: Float64Array, out: Float64Array) => void {
  if (n < 4 || (n & (n - 1)) !== 0)
    throw new RangeError(`Expected a power of two of at least 4 but received ${n}`);
  const half = n / 2;
  const re = new Float64Array(half);
  const im = new Float64Array(half);
  const reversed = new Uint32Array(half);
  const bits = Math.log2(half);
  for (let i = 0; i < half; i++) {
    let r = 0;
    for (let b = 0; b < bits; b++) r |= ((i >> b) & 1) << (bits - 1 - b);
    reversed[i] = r;
  }
  // exp(-2 pi i k / n): every second one serves the transform of half the length.
  const cos = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / n));
  const sin = Float64Array.from({ length: half }, (_, k) => -Math.sin((2 * Math.PI * k) / n));

  return (frame, out) => {
    for (let i = 0; i < half; i++) {
      const r = reversed[i];
      re[i] = frame[2 * r];
      im[i] = frame[2 * r + 1];
    }
    for (let size = 2; size <= half; size *= 2) {
      const arm = size / 2;
      const stride = n / size;
      for (let start = 0; start < half; start += size) {
        for (let k = 0; k < arm; k++) {
          const wr = cos[k * stride];
          const wi = sin[k * stride];
          const a = start + k;
          const b = a + arm;
          const tr = re[b] * wr - im[b] * wi;
          const ti = re[b] * wi + im[b] * wr;
          re[b] = re[a] - tr;
          im[b] = im[a] - ti;
          re[a] += tr;
          im[a] += ti;
        }
      }
    }
    out[0] = (re[0] + im[0]) ** 2;
    out[half] = (re[0] - im[0]) ** 2;
    for (let k = 1; k < half; k++) {
      const j = half - k;
      const evenRe = (re[k] + re[j]) / 2;
      const evenIm = (im[k] - im[j]) / 2;
      const oddRe = (im[k] + im[j]) / 2;
      const oddIm = (re[j] - re[k]) / 2;
      const x = evenRe + oddRe * cos[k] - oddIm * sin[k];
      const y = evenIm + oddRe * sin[k] + oddIm * cos[k];
      out[k] = x * x + y * y;
    }
  };
}
