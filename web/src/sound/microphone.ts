import workletUrl from "./capture.worklet.ts?worker&url";

export interface Microphone {
  sampleRateHz: number;
  close(): Promise<void>;
}

/**
 * Opens the microphone; `onSamples` gets its samples as they arrive, a tenth of a second at a time.
 * As samples and not by MediaRecorder, whose WebM a server without ffmpeg cannot read.
 * @throws Error with a sentence when there is none or it may not be used.
 */
export async function openMicrophone(
  onSamples: (samples: Float32Array) => void,
): Promise<Microphone> {
  if (navigator.mediaDevices === undefined) {
    const where = "open it over https, or at http://127.0.0.1";
    throw new Error(`The browser does not give this page a microphone: ${where}.`);
  }
  // What calls need (less noise, an even level) would remove sounds that should be heard.
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio }).catch((error: Error) => {
    throw new Error(
      error.name === "NotAllowedError"
        ? "The page may not use the microphone; allow it in the browser's address bar and retry."
        : "No microphone was found; connect one and try again.",
    );
  });
  const context = new AudioContext();
  const close = async () => {
    for (const track of stream.getTracks()) track.stop();
    await context.close();
  };
  try {
    await context.audioWorklet.addModule(workletUrl);
  } catch {
    await close(); // or the browser goes on saying that it is in use
    throw new Error("What records could not be loaded: the server does not answer.");
  }
  const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  capture.port.onmessage = ({ data }: MessageEvent<Float32Array>) => onSamples(data);
  context.createMediaStreamSource(stream).connect(capture);
  await context.resume();
  return { sampleRateHz: context.sampleRate, close };
}

/** Chunks as one. */
export function joinSamples(chunks: readonly Float32Array[]): Float32Array {
  const samples = new Float32Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    samples.set(chunk, at);
    at += chunk.length;
  }
  return samples;
}
