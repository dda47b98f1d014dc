import type { DecodedAudio } from "../../encoders/encoder.js";
import { AppError } from "../../errors.js";
import { sniffFormat } from "../sniff.js";
import { decodeAdts } from "./adts.js";
import { decodeAiff } from "./aiff.js";
import { decodeAu } from "./au.js";
import { decodeCaf } from "./caf.js";
import { decodeWithFfmpeg } from "./ffmpeg.js";
import { decodeFlac } from "./flac.js";
import type { AudioLimits } from "./mono-collector.js";
import { decodeMp3 } from "./mp3.js";
import { decodeOgg } from "./ogg.js";
import { type AudioFormat, sniffAudio } from "./sniff-audio.js";
import { SoundBuilder } from "./sound-builder.js";
import { withoutTags } from "./tags.js";
import { undecodable, unsupported } from "./undecodable.js";
import { Warnings } from "./warnings.js";
import { decodeWav } from "./wav.js";

type Decode = (bytes: Uint8Array, sound: SoundBuilder, warnings: Warnings) => Promise<void> | void;

const decoders: Record<AudioFormat, Decode> = {
  wav: decodeWav,
  flac: decodeFlac,
  ogg: decodeOgg,
  mp3: decodeMp3,
  aac: decodeAdts,
  aiff: decodeAiff,
  au: decodeAu,
  caf: decodeCaf,
};

/**
 * The bytes of a sound file -> mono samples at the file's own rate, with warnings of damaged or
 * skipped parts. The format is detected from the content: docs/preprocessing.md lists the supported
 * ones, decoded here or by ffmpeg if it is installed.
 *
 * @throws AppError `invalid_input` (no samples, or not finite), `unsupported_media` (not a
 *   supported sound format or rate), `undecodable_media` (corrupt), `too_large` (longer than the
 *   limits).
 */
export async function decodeAudio(bytes: Uint8Array, limits: AudioLimits): Promise<DecodedAudio> {
  const sound = new SoundBuilder(limits);
  const warnings = new Warnings();
  try {
    await decodeFormat(bytes, sound, warnings);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw undecodable("The sound file is corrupt", error);
  }
  const decoded = sound.finish();
  const { samples } = decoded;
  if (samples.length === 0) {
    throw new AppError("invalid_input", "The sound file holds no samples", { param: "audio" });
  }
  for (let i = 0; i < samples.length; i++) {
    if (Number.isFinite(samples[i])) continue;
    throw new AppError("invalid_input", `Sample ${i} of the sound is not a number`, {
      param: "audio",
    });
  }
  const list = warnings.list();
  return list.length === 0 ? decoded : { ...decoded, warnings: list };
}

async function decodeFormat(
  bytes: Uint8Array,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const format = sniffFormat(bytes);
  const body = withoutTags(bytes);
  const sniffed = format === "sound" ? sniffAudio(body) : undefined;
  if (sniffed === undefined) {
    const isPicture = format !== undefined && format !== "sound";
    const problem = isPicture ? `The file is a picture (${format})` : "Unknown file format";
    throw unsupported(
      `${problem}; expected WAV, AIFF, AU, CAF, FLAC, MP3, Ogg (Vorbis, Opus, FLAC), or with ` +
        "ffmpeg M4A, AAC, WebM and others",
    );
  }
  const { start } = sniffed;
  if (start > 0) warnings.add(`The file begins with ${start} bytes that are not sound`);
  const rest = body.subarray(start);
  if (typeof sniffed.format === "string") await decoders[sniffed.format](rest, sound, warnings);
  else await decodeWithFfmpeg(rest, sniffed.format, sound, warnings);
}
