interface Gap {
  start: number;
  length: number;
}

/** Merges adjacent gaps. */
export function joined(gaps: readonly Gap[]): Gap[] {
  const result: Gap[] = [];
  for (const { start, length } of gaps) {
    const last = result.at(-1);
    if (last !== undefined && last.start + last.length === start) last.length += length;
    else result.push({ start, length });
  }
  return result;
}

/**
 * Fills a gap with the sound before it, reversed, cross-faded into the sound after it, also
 * reversed: both join without a jump. Silence would be a click that a model hears. At the beginning
 * and the end of a sound, and with too little around it, a gap is kept.
 */
export function bridgeGap(samples: Float32Array, { start, length }: Gap): void {
  const end = start + length;
  if (start < length || end + length > samples.length) return;
  for (let i = 0; i < length; i++) {
    const share = (i + 0.5) / length;
    samples[start + i] =
      (1 - share) * samples[start - 1 - i] + share * samples[end + length - 1 - i];
  }
}
