import { z } from "zod";
import { defaultMaxSamples } from "../media/audio/mono-collector.js";
import { count, number, option } from "./option.js";

/** Limits of one request, or of all together. */
export const limitOptions = {
  maxQueued: option(
    count,
    512,
    number,
    "Work in progress, counted in small inputs, before requests get 429; large files count for " +
      "more.",
  ),
  maxMediaBytes: option(
    count,
    512 * 2 ** 20,
    number,
    "Bytes of pictures and sounds that are decoded at once, over all requests; lower it to " +
      "save memory.",
  ),
  maxKeptMediaBytes: option(
    z.int().min(0),
    0,
    number,
    "Bytes of pictures and sounds that collections keep together (keep_media); 0 has no limit.",
  ),
  cacheBytes: option(
    z.int().min(0),
    64 * 2 ** 20,
    number,
    "Bytes of recent embeddings to remember; 0 remembers none.",
  ),
  maxCopyBytes: option(
    z.int().min(0),
    2 ** 30,
    number,
    "Bytes of the 8-bit copies that a server with store scans for searches; 0 keeps none " +
      "(docs/scaling.md).",
  ),
  maxBodyBytes: option(
    count,
    64 * 2 ** 20,
    number,
    "Largest request body in bytes; four of them are held at once, over all requests.",
  ),
  maxLabels: option(
    count,
    1000,
    number,
    "Maximum number of candidate labels in one zero-shot request.",
  ),
  maxInputs: option(count, 2048, number, "Maximum number of inputs in one embeddings request."),
  maxAnswerBytes: option(
    count,
    16 * 2 ** 20,
    number,
    "Largest answer to a search or timeline, in bytes (approximately); larger ones are refused.",
  ),
  maxImagePixels: option(
    count,
    100_000_000,
    number,
    "Largest picture in pixels, checked before it is decoded.",
  ),
  maxAudioSeconds: option(z.number().positive(), 14_400, number, "Longest sound in seconds."),
  maxAudioSamples: option(
    count,
    defaultMaxSamples,
    number,
    "Longest sound in samples: an hour at 48 kHz; beyond eight channels they count in proportion.",
  ),
  maxDecodeBytes: option(
    count,
    2 ** 30,
    number,
    "Memory in bytes that decoding one file may take; for pictures of more than 100 " +
      "megapixels raise it too.",
  ),
  maxDecodeSeconds: option(
    z.number().positive(),
    30,
    number,
    "Processor time in seconds that decoding one file may take.",
  ),
  requestTimeoutMs: option(
    count,
    120_000,
    number,
    "Milliseconds after which a request is aborted, and a connection whose client reads nothing " +
      "of its answer closed (then at least 60000).",
  ),
};
