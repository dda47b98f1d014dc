import type { DecodedAudio } from "../encoders/encoder.js";
import { type Random, seededRandom } from "../math/random.js";

const sampleRateHz = 32_000;
/** A note or noise at a time in seconds, about in [-1, 1]. */
type Voice = (seconds: number) => number;

/**
 * Sounds of nothing in particular: noise of any colour, tones, chords, sweeps, pulses,
 * knocks, tunes, something like vowels, and mixtures of two. Always the same ones.
 */
export function* backgroundSounds(count: number): Generator<DecodedAudio> {
  const random = seededRandom(8);
  for (let i = 0; i < count; i++) {
    const seconds = 1 + 4 * random.uniform();
    const main = voices[i % voices.length](random);
    const isLayered = random.uniform() < 0.6;
    const other = isLayered ? voices[random.integer(voices.length)](random) : () => 0;
    const [gain, share] = [10 ** (-1.5 * random.uniform()), random.uniform()];
    const samples = new Float32Array(Math.round(seconds * sampleRateHz));
    for (let k = 0; k < samples.length; k++) {
      const value = main(k / sampleRateHz) + share * other(k / sampleRateHz);
      samples[k] = Math.max(-1, Math.min(1, 0.5 * gain * value));
    }
    yield { sampleRateHz, samples };
  }
}

const pitch = (random: Random) => 50 * 2 ** (7 * random.uniform());
const sine = (cycles: number) => Math.sin(2 * Math.PI * cycles);

/** White noise through a one-pole low-pass; near 1 it is a rumble. */
function noise(random: Random, dullness: number): Voice {
  const noiseRandom = seededRandom(random.integer(2 ** 31));
  const scale = 1 / Math.sqrt((1 - dullness) / (1 + dullness)) / 2;
  let last = 0;
  return () => {
    last = dullness * last + (1 - dullness) * noiseRandom.normal();
    return scale * last;
  };
}

/** Decaying harmonics, loudest around two resonances. */
function harmonics(random: Random): (phase: number) => number {
  const [first, second] = [1 + random.integer(6), 4 + random.integer(12)];
  const gains = Array.from({ length: 20 }, (_, h) => {
    const near = Math.exp(-((h + 1 - first) ** 2) / 4) + Math.exp(-((h + 1 - second) ** 2) / 8);
    return (0.1 + near) / (h + 1) ** 0.5;
  });
  return (phase) => {
    // sin((n + 1) x) = 2 cos(x) sin(n x) - sin((n - 1) x): one sine for all of them
    const x = 2 * Math.PI * phase;
    const twice = 2 * Math.cos(x);
    let [before, current, sum] = [0, Math.sin(x), 0];
    for (const gain of gains) {
      sum += 0.3 * gain * current;
      const next = twice * current - before;
      before = current;
      current = next;
    }
    return sum;
  };
}

const voices: ((random: Random) => Voice)[] = [
  (random) => noise(random, 1 - 10 ** (-3 * random.uniform())),
  (random) => {
    const [hiss, rate] = [noise(random, random.uniform()), 0.2 * 2 ** (7 * random.uniform())];
    return (t) => hiss(t) * (0.5 + 0.5 * sine(rate * t));
  },
  (random) => {
    const partials = Array.from({ length: 1 + random.integer(4) }, () => pitch(random));
    return (t) => partials.reduce((sum, hz) => sum + sine(hz * t), 0) / partials.length;
  },
  (random) => {
    const [from, octaves, period] = [
      pitch(random),
      4 * random.uniform() - 2,
      0.3 + random.uniform(),
    ];
    let phase = 0;
    return (t) => {
      phase += (from * 2 ** (octaves * ((t / period) % 1))) / sampleRateHz;
      return sine(phase);
    };
  },
  (random) => {
    const rate = 1 + 30 * random.uniform() ** 2;
    const [hz, fade, hiss] = [pitch(random), 20 + 200 * random.uniform(), noise(random, 0.5)];
    const tonal = random.uniform();
    return (t) => {
      const since = (t * rate) % 1;
      return Math.exp((-fade * since) / rate) * (tonal * sine(hz * t) + (1 - tonal) * hiss(t));
    };
  },
  (random) => {
    const notes = Array.from({ length: 8 }, () => 220 * 2 ** (random.integer(24) / 12));
    const [rate, timbre] = [1 + 5 * random.uniform(), harmonics(random)];
    return (t) => {
      const note = notes[Math.floor(t * rate) % notes.length];
      return Math.exp(-3 * ((t * rate) % 1)) * timbre(note * t);
    };
  },
  (random) => {
    const [hz, vowel, rate] = [
      80 + 200 * random.uniform(),
      harmonics(random),
      2 + 4 * random.uniform(),
    ];
    let phase = 0;
    return (t) => {
      phase += (hz * (1 + 0.15 * sine(0.4 * t) + 0.02 * sine(5.5 * t))) / sampleRateHz;
      return vowel(phase) * Math.max(0, sine(rate * t)) ** 0.5;
    };
  },
];
