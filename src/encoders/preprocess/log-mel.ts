import { powerSpectrum } from "../../math/fft.js";
import type { AudioPreprocess } from "../manifest.js";

/**
 * Log-mel spectrogram of samples at the model's rate, as the manifest says: pre-emphasis, centred
 * Hann frames with reflected edges, power, mel bands, logarithm, (x + shift) / divide.
 *
 * Agrees with transformers' ClapFeatureExtractor (audio_utils.spectrogram) and, with `kaldi`, with
 * the front end of the starter's teacher (fschmid56/EfficientAT, preprocess.py).
 *
 * @param samples  [t], t > fftSize / 2 so that the edges can be reflected.
 * @returns [frames, mels] or [mels, frames] by `layout`; frames = 1 + floor(t' / hopLength), t' = t
 *   less the one sample that pre-emphasis takes.
 */
export function logMel(
  samples: Float32Array,
  spec: AudioPreprocess,
): { values: Float32Array; frames: number } {
  const { fftSize, hopLength, mel, log, shift, divide, layout } = spec;
  const signal = emphasize(samples, spec.preEmphasis);
  const frames = 1 + Math.floor(signal.length / hopLength);
  const { window, bank, spectrum } = analyser(spec);
  const frame = new Float64Array(fftSize);
  const power = new Float64Array(fftSize / 2 + 1);
  const values = new Float32Array(frames * mel.count);
  const last = signal.length - 1;
  for (let f = 0; f < frames; f++) {
    const start = f * hopLength - fftSize / 2;
    for (let i = 0; i < fftSize; i++) {
      let t = start + i;
      if (t < 0) t = -t;
      else if (t > last) t = 2 * last - t;
      frame[i] = signal[t] * window[i];
    }
    spectrum(frame, power);
    for (let m = 0; m < mel.count; m++) {
      const { first, weights } = bank[m];
      let energy = 0;
      for (let k = 0; k < weights.length; k++) energy += weights[k] * power[first + k];
      const level =
        log.kind === "db"
          ? 10 * Math.log10(Math.max(energy, log.floor))
          : Math.log(energy + log.offset);
      values[layout === "frames-mels" ? f * mel.count + m : m * frames + f] =
        (level + shift) / divide;
    }
  }
  return { values, frames };
}

/** y[t] = x[t + 1] - c x[t]; one sample shorter. */
function emphasize(samples: Float32Array, coefficient: number): Float32Array {
  if (coefficient === 0) return samples;
  const result = new Float32Array(samples.length - 1);
  for (let t = 0; t < result.length; t++) result[t] = samples[t + 1] - coefficient * samples[t];
  return result;
}

interface Analyser {
  window: Float64Array;
  /** One triangle per band: its non-zero weights from FFT bin `first` on. */
  bank: { first: number; weights: Float64Array }[];
  spectrum: ReturnType<typeof powerSpectrum>;
}

/** Windows and banks by what they depend on. */
const analysers = new Map<string, Analyser>();

function analyser(spec: AudioPreprocess): Analyser {
  const { fftSize, windowLength, periodicWindow, mel, sampleRateHz } = spec;
  const key = JSON.stringify([fftSize, windowLength, periodicWindow, mel, sampleRateHz]);
  let found = analysers.get(key);
  if (found === undefined) {
    found = {
      window: hannWindow(fftSize, windowLength, periodicWindow),
      bank: melBank(spec),
      spectrum: powerSpectrum(fftSize),
    };
    analysers.set(key, found);
  }
  return found;
}

/** Hann of `length` samples in the middle of `size`, zeros around it. */
function hannWindow(size: number, length: number, periodic: boolean): Float64Array {
  const window = new Float64Array(size);
  const offset = Math.floor((size - length) / 2);
  const period = periodic ? length : length - 1;
  for (let i = 0; i < length; i++)
    window[offset + i] = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / period);
  return window;
}

const melScales = {
  /** Slaney's Auditory Toolbox: linear below 1 kHz, logarithmic above. */
  slaney: {
    toMel: (hz: number) =>
      hz < 1000 ? (3 * hz) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4),
    toHz: (mel: number) =>
      mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27),
  },
  htk: {
    toMel: (hz: number) => 2595 * Math.log10(1 + hz / 700),
    toHz: (mel: number) => 700 * (10 ** (mel / 2595) - 1),
  },
  kaldi: {
    toMel: (hz: number) => 1127 * Math.log(1 + hz / 700),
    toHz: (mel: number) => 700 * (Math.exp(mel / 1127) - 1),
  },
};

/**
 * Triangular filters over the FFT bins. slaney and htk draw straight lines over frequency, kaldi
 * over mel and leaves out the Nyquist bin.
 */
function melBank({ fftSize, sampleRateHz, mel }: AudioPreprocess): Analyser["bank"] {
  const { toMel, toHz } = melScales[mel.scale];
  const overMel = mel.scale === "kaldi";
  const low = toMel(mel.minHz);
  const step = (toMel(mel.maxHz) - low) / (mel.count + 1);
  const edges = Array.from({ length: mel.count + 2 }, (_, i) =>
    overMel ? low + i * step : toHz(low + i * step),
  );
  const bins = fftSize / 2 + (overMel ? 0 : 1);
  const position = Float64Array.from({ length: bins }, (_, k) => {
    const hz = (k * sampleRateHz) / fftSize;
    return overMel ? toMel(hz) : hz;
  });
  return Array.from({ length: mel.count }, (_, m) => {
    const [left, centre, right] = edges.slice(m, m + 3);
    const gain = mel.norm === "slaney" ? 2 / (right - left) : 1;
    const weightAt = (x: number) =>
      gain * Math.max(0, Math.min((x - left) / (centre - left), (right - x) / (right - centre)));
    let first = 0;
    while (first < bins && weightAt(position[first]) === 0) first++;
    let end = first;
    while (end < bins && weightAt(position[end]) > 0) end++;
    return { first, weights: Float64Array.from(position.subarray(first, end), weightAt) };
  });
}
