import { z } from "zod";
import { asIs, count, list, number, option, pairs } from "./option.js";

/** Which models are loaded, and how they run. */
export const modelOptions = {
  models: option(
    z
      .array(z.string())
      .min(1)
      .refine((ids) => new Set(ids).size === ids.length, "Expected each model once"),
    ["starter-clip", "starter-clap"],
    list,
    "Ids of the models to load, comma-separated; the first that understands a modality is its " +
      "default.",
  ),
  aliases: option(
    z.record(z.string().min(1), z.string().min(1, "Expected name=model, comma-separated")),
    {},
    pairs,
    "Further names of loaded models, as name=model, for clients with fixed model names.",
  ),
  pinnedModels: option(
    z.array(z.string()),
    [],
    list,
    "Ids of models that stay in memory whatever the next two options say, comma-separated.",
  ),
  modelIdleUnloadMs: option(
    z.int().min(0),
    0,
    number,
    "Milliseconds without an input after which a model's graph leaves memory; the next input " +
      "loads it again. 0 is never.",
  ),
  maxModelBytes: option(
    z.int().min(0),
    0,
    number,
    "Bytes of weights in memory at once; beyond, the graphs that were not used for the longest " +
      "leave it. 0 is unlimited.",
  ),
  device: option(
    z
      .string()
      .regex(/^(auto|cpu|webgpu|cuda(:\d+)?)$/, "Expected auto, cpu, webgpu, cuda or cuda:N"),
    "auto",
    asIs,
    "Where models run: auto, cpu, cuda[:n] or webgpu; auto falls back to the CPU, with the " +
      "others the server does not start when they are unavailable.",
  ),
  dtype: option(
    z.enum(["auto", "fp32", "fp16", "int8", "q4"]),
    "auto",
    asIs,
    "Data type of the weights to load; auto takes the most exact one that is installed.",
  ),
  threads: option(
    z.int().min(0),
    0,
    number,
    "Threads inside one inference; 0 is one for each physical core.",
  ),
  mediaWorkers: option(
    z.int().min(0),
    0,
    number,
    "Processes that decode and preprocess media; 0 is one for each core that threads leaves, " +
      "or for each core when that is 0 too.",
  ),
  sandbox: option(
    z.enum(["auto", "required", "off"]),
    "auto",
    asIs,
    "Whether processes that decode media are kept from files and the network: auto as far as the " +
      "system can; with required the server does not start where it cannot; off.",
  ),
  resize: option(
    z.enum(["exact", "fast"]),
    "exact",
    asIs,
    "How pictures are resized: exact (Pillow's numbers) or fast (libvips, for large pictures; " +
      "another space, see docs/preprocessing.md).",
  ),
  hopSeconds: option(
    z.number().min(0),
    0,
    number,
    "Seconds between the windows of a sound longer than one; 0 is the model's own (5 for " +
      "CLAP). Another value is another space.",
  ),
  maxBatch: option(
    count,
    32,
    number,
    "Maximum number of inputs in one inference; on the CPU 8 pictures or sounds, since more " +
      "are no faster there.",
  ),
};
