import { persistently } from "../status.js";
import { openMicrophone } from "./microphone.js";
import { RollingSound } from "./rolling-sound.js";
import { wavOf } from "./wav.js";

/** Seconds that a request covers. */
export const heardSeconds = 3;
/** Why it ended, where the page asked for a key. */
export const closedForKey = "The microphone was closed when the page asked for a key.";
const minSeconds = 0.5;
const pauseMs = 300;

/**
 * Opens the microphone and has its last seconds classified, again and again, until `signal`.
 * @throws Error with a sentence when there is no microphone, or what `classify` throws.
 */
export async function listen({
  keepSeconds,
  signal,
  onOpen,
  classify,
}: {
  keepSeconds: number;
  signal: AbortSignal;
  onOpen?: (sound: RollingSound) => void;
  /** Gets a WAV file and where it ends, in seconds since the microphone was opened. */
  classify: (audio: Blob, endSeconds: number) => Promise<void>;
}): Promise<void> {
  let sound: RollingSound | undefined;
  const classifyLatest = (audio: Blob, end: number) =>
    persistently(() => classify(audio, end), { signal });
  const microphone = await openMicrophone((samples) => sound?.push(samples));
  try {
    sound = new RollingSound(microphone.sampleRateHz, keepSeconds);
    onOpen?.(sound);
    while (!signal.aborted) {
      const samples = sound.latest(heardSeconds);
      if (samples.length >= minSeconds * sound.sampleRateHz)
        await classifyLatest(wavOf(samples, sound.sampleRateHz), sound.seconds);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await microphone.close();
  }
}
