import { createHash } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { newFile } from "../files/new-file.js";
import type { OpenRegularOptions } from "../files/open-regular.js";
import { readRegularFile } from "../files/read-regular.js";
import { writeDurably } from "../files/write-durably.js";
import { decodeAudio } from "../media/audio/decode-audio.js";
import { type EventTableName, eventTables } from "../tags/event-tables.js";
import type { SoundEvent } from "../tags/sound-events.js";
import { wavOf } from "../tags/wav.js";
import { type Tags, withTags } from "../tags/xmp-sidecar.js";
import { CommandError } from "./target.js";
import { fileError } from "./walk-files.js";

export interface TagOutputs {
  xmp?: boolean;
  events?: string[];
  clips?: string;
  out?: string;
  force?: boolean;
}

/** A file that is tagged, with its path in the folder that was named. */
interface TaggedFile {
  path: string;
  relative: string;
  /** The folder that it has to be in when it is read, as `openRegular` takes it. */
  within?: readonly string[];
}

/** `cat.jpg.xmp` beside `cat.jpg`. @returns the file, when it was written. */
export async function writeSidecar(path: string, tags: Tags): Promise<string[]> {
  const sidecar = `${path}.xmp`;
  const existing = await existingSidecar(sidecar);
  if (existing === undefined && tags.labels.length === 0) return [];
  let text: string | undefined;
  try {
    text = withTags(existing, tags);
  } catch (error) {
    throw new CommandError(`${sidecar} is left unchanged: ${(error as Error).message}`);
  }
  if (text === undefined) return [];
  await writeDurably(sidecar, text);
  return [sidecar];
}

/** Of a sidecar: programs that write presets and histories into it need megabytes at most. */
const maxSidecarBytes = 64 * 2 ** 20;

async function existingSidecar(sidecar: string): Promise<string | undefined> {
  // What a link leads to would be replaced by a file
  const within = [await realpath(dirname(sidecar))];
  try {
    return (await readRegularFile(sidecar, maxSidecarBytes, { within })).toString("utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new CommandError(`${sidecar} is left unchanged: ${message}`);
  }
}

/** Tables of the events, each beside the sound or under `out`. */
export async function writeEvents(
  { path, relative, within }: TaggedFile,
  events: readonly SoundEvent[],
  { events: forms = [], out, force }: TagOutputs,
): Promise<string[]> {
  const { sampleRateHz } = await samplesOf(path, { within });
  const sound = { soundName: relative, nyquistHz: sampleRateHz / 2 };
  const beside = out === undefined ? path : join(out, relative);
  const written: string[] = [];
  for (const form of forms as EventTableName[]) {
    const table = eventTables[form];
    const file = `${beside}.${table.ending}`;
    await writeNew(file, table.text(events, sound), force === true);
    written.push(file);
  }
  return written;
}

/** Each event as `LABEL/NAME START-END.wav`: what `train --files` reads. */
export async function writeClips(
  { path, relative, within }: TaggedFile,
  events: readonly SoundEvent[],
  { clips, force }: TagOutputs,
): Promise<string[]> {
  if (events.length === 0) return [];
  const { samples, sampleRateHz } = await samplesOf(path, { within });
  const written: string[] = [];
  for (const { label, startSeconds, endSeconds } of events) {
    const [from, to] = [startSeconds, endSeconds].map((at) => Math.round(at * sampleRateHz));
    const span = `${startSeconds.toFixed(2)}-${endSeconds.toFixed(2)}`;
    const file = join(clips!, fileName(label), `${fileName(relative)} ${span}.wav`);
    await writeNew(file, wavOf(samples.subarray(from, to), sampleRateHz), force === true);
    written.push(file);
  }
  return written;
}

const maxSoundBytes = 2 ** 31 - 1;

/** Mono, at the file's own rate; the server has measured it against its limits already. */
async function samplesOf(path: string, options: OpenRegularOptions) {
  const bytes = await readRegularFile(path, maxSoundBytes, options).catch((error: Error) => {
    throw new CommandError(`${path}: ${fileError(error)}`);
  });
  return decodeAudio(bytes, { maxSeconds: Number.POSITIVE_INFINITY });
}

async function writeNew(path: string, content: string | Uint8Array, replace: boolean) {
  await mkdir(dirname(path), { recursive: true });
  const file = await newFile(path, { replace });
  try {
    await file.write(content);
    await file.publish();
  } finally {
    await file.discard();
  }
}

/** With " 12.34-56.78.wav" after it, less than the 255 bytes that file systems take. */
const maxNameBytes = 180;

/**
 * A label or path as a single file name that leads nowhere else and that every file system accepts.
 * One that is cut ends with a part of its hash, so that no two become the same.
 */
function fileName(text: string): string {
  const safe = text.replace(/[/\\:*?"<>|\p{Cc}]/gu, "_").replace(/^\.+|[. ]+$/g, "_");
  if (Buffer.byteLength(safe) <= maxNameBytes) return safe;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
  const cut = new TextDecoder().decode(Buffer.from(safe).subarray(0, maxNameBytes - 9));
  return `${cut.replace(/\ufffd+$/, "")}-${hash}`;
}
