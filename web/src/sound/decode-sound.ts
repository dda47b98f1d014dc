/** Of the pictures of a sound; the server decodes for itself. */
export const pictureRateHz = 32_000;

/** Longer sounds are played and classified but not drawn: ten minutes are 80 MB of samples. */
const maxDrawnSeconds = 600;
/** Of sounds whose length the browser cannot tell. */
const maxDrawnBytes = 32e6;

export interface DecodedSound {
  /** Mono, at `pictureRateHz`. */
  samples: Float32Array;
}

/**
 * The samples of a sound.
 * @throws Error with a sentence when the browser cannot decode it or it is too long to be drawn.
 */
export async function decodeSound(blob: Blob, durationSeconds?: number): Promise<DecodedSound> {
  if (durationSeconds === undefined ? blob.size > maxDrawnBytes : durationSeconds > maxDrawnSeconds)
    throw new Error("Level and spectrogram are drawn for sounds of up to 10 minutes.");
  const context = new OfflineAudioContext(1, 1, pictureRateHz);
  const buffer = await context.decodeAudioData(await blob.arrayBuffer()).catch(() => {
    throw new Error("This browser cannot play this kind of file; the scores come from the server.");
  });
  const samples = Float32Array.from(buffer.getChannelData(0));
  for (let channel = 1; channel < buffer.numberOfChannels; channel++) {
    const other = buffer.getChannelData(channel);
    for (let i = 0; i < samples.length; i++) samples[i] += other[i];
  }
  for (let i = 0; i < samples.length; i++) samples[i] /= buffer.numberOfChannels;
  return { samples };
}
