import type { DecodedAudio } from "../encoder.js";

const bars = 120;
const barWidth = 2;
const height = 48;
/** -60 dB: a sound quieter than this is drawn as silence instead of being amplified. */
const quietest = 0.001;

/**
 * The largest |sample| in each of `count` equal parts of a sound. `peaksOf([0, -1, 0.5, 0], 2)` is
 * [1, 0.5].
 */
export function peaksOf(samples: Float32Array, count: number): number[] {
  return Array.from({ length: count }, (_, bar) => {
    const end = Math.floor(((bar + 1) * samples.length) / count);
    let peak = 0;
    for (let i = Math.floor((bar * samples.length) / count); i < end; i++)
      peak = Math.max(peak, Math.abs(samples[i]));
    return peak;
  });
}

/** A sound -> its waveform as a small SVG (about 2 KB), scaled to its loudest part. */
export function waveform({ samples }: DecodedAudio): { mediaType: string; bytes: Uint8Array } {
  const peaks = peaksOf(samples, bars);
  const loudest = Math.max(quietest, ...peaks);
  const path = peaks.map((peak, bar) => {
    const length = Math.max(1, Math.round((peak / loudest) * (height - 2)));
    return `M${bar * barWidth + barWidth / 2} ${(height - length) / 2}v${length}`;
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${bars * barWidth} ${height}"><path ` +
    `d="${path.join("")}" stroke="#567" stroke-width="1.4"/></svg>`;
  return { mediaType: "image/svg+xml", bytes: new TextEncoder().encode(svg) };
}
