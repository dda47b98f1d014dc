/** Mono samples in [-1, 1] as a WAV file of 16 bits; values outside are clipped. */
export function wavOf(samples: Float32Array, sampleRateHz: number): Buffer {
  const file = Buffer.alloc(44 + 2 * samples.length);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(file.length - 8, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // one channel
  file.writeUInt32LE(sampleRateHz, 24);
  file.writeUInt32LE(2 * sampleRateHz, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(2 * samples.length, 40);
  for (let i = 0; i < samples.length; i++) {
    const level = Math.round(32768 * samples[i]);
    file.writeInt16LE(Math.max(-32768, Math.min(32767, level)), 44 + 2 * i);
  }
  return file;
}
