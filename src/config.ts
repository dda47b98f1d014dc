import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { closest } from "./closest.js";
import { AppError } from "./errors.js";
import { defaultJobLimits } from "./jobs/job-retention.js";
import { defaultMaxSamples } from "./media/audio/mono-collector.js";

/** How an option is written in the environment or as a flag, and what it means. */
interface Option<S extends z.ZodType> {
  schema: S;
  default: z.infer<S>;
  /** Text from the environment or a flag -> what `schema` checks. */
  fromText: (text: string) => unknown;
  /** One sentence: what it is, its unit, and when one would change it. */
  about: string;
  secret?: true;
}

const option = <S extends z.ZodType>(
  schema: S,
  fallback: z.infer<S>,
  fromText: (text: string) => unknown,
  about: string,
): Option<S> => ({ schema, default: fallback, fromText, about });

const number = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));
const same = (text: string) => text;
const list = (text: string) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
/** `a=b,c=d` -> {a: "b", c: "d"}; what is not of that form is left for the schema to refuse. */
const pairs = (text: string) =>
  Object.fromEntries(
    list(text).map((pair) => {
      const [name, ...rest] = pair.split("=").map((part) => part.trim());
      return name === "" || rest.length !== 1 ? [pair, ""] : [name, rest[0]];
    }),
  );
const count = z.int().positive();

/**
 * Every option, once. `dataDir` is `--data-dir`, `CROSSMODAL_DATA_DIR` or `"dataDir"` in the config
 * file: a flag wins over the environment, that over the file, that over the default.
 */
export const options = {
  host: option(
    z.string().min(1),
    "127.0.0.1",
    same,
    "Address to listen on; another than loopback needs API keys or trustedHosts.",
  ),
  port: option(
    z.int().min(0).max(65535),
    8080,
    number,
    "TCP port to listen on; 0 takes a free one.",
  ),
  dataDir: option(
    z.string().min(1),
    "data",
    same,
    "Folder of collections, heads, jobs and pulled models.",
  ),
  models: option(
    z.array(z.string()).min(1),
    ["starter-clip", "starter-clap"],
    list,
    "Ids of the models to load, comma-separated; the first that understands a modality is its default.",
  ),
  aliases: option(
    z.record(z.string().min(1), z.string().min(1, "Expected name=model, comma-separated")),
    {},
    pairs,
    "Further names of loaded models, as name=model, for clients that insist on names of their own.",
  ),
  device: option(
    z
      .string()
      .regex(/^(auto|cpu|webgpu|cuda(:\d+)?)$/, "Expected auto, cpu, webgpu, cuda or cuda:N"),
    "auto",
    same,
    "Where models run: auto, cpu, cuda[:n] or webgpu; auto falls back to the CPU, the others stop the start when they cannot be had.",
  ),
  dtype: option(
    z.enum(["auto", "fp32", "fp16", "int8", "q4"]),
    "auto",
    same,
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
    "Processes that decode and preprocess media; 0 is one for each core that threads leaves, or for each core when that is 0 too.",
  ),
  resize: option(
    z.enum(["exact", "fast"]),
    "exact",
    same,
    "How pictures are resized: exact (Pillow's numbers) or fast (libvips, for large pictures; another space, see docs/preprocessing.md).",
  ),
  hopSeconds: option(
    z.number().min(0),
    0,
    number,
    "Seconds between the windows of a sound longer than one; 0 is the model's own (5 for CLAP). Another value is another space.",
  ),
  maxBatch: option(
    count,
    32,
    number,
    "Most inputs in one inference; on the CPU 8 pictures or sounds, as more are no faster there.",
  ),
  maxQueued: option(
    count,
    512,
    number,
    "Work under way, in small inputs, before requests are answered 429; large files count for more.",
  ),
  maxMediaBytes: option(
    count,
    512 * 2 ** 20,
    number,
    "Bytes of pictures and sounds that are decoded at once, over all requests; lower it when memory is short.",
  ),
  cacheBytes: option(
    z.int().min(0),
    64 * 2 ** 20,
    number,
    "Bytes of recent embeddings to remember; 0 remembers none.",
  ),
  maxBodyBytes: option(
    count,
    64 * 2 ** 20,
    number,
    "Largest request body in bytes; four of them are held at once, over all requests.",
  ),
  maxLabels: option(count, 1000, number, "Most candidate labels in one zero-shot request."),
  maxInputs: option(count, 2048, number, "Most inputs in one embeddings request."),
  maxAnswerBytes: option(
    count,
    16 * 2 ** 20,
    number,
    "Largest answer of a search or a timeline in bytes, about; larger ones are refused.",
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
    "Memory in bytes that decoding one file may take; for pictures of more than 100 megapixels raise it too.",
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
    "Milliseconds after which a request is given up.",
  ),
  maxEndedJobs: option(
    count,
    defaultJobLimits.maxEndedJobs,
    number,
    "Ended jobs that are remembered with their results; older ones are forgotten.",
  ),
  endedJobHours: option(
    z.number().positive(),
    defaultJobLimits.endedJobHours,
    number,
    "Hours for which an ended job is remembered.",
  ),
  maxResumableJobs: option(
    z.int().min(0),
    defaultJobLimits.maxResumableJobs,
    number,
    "Jobs that were interrupted, cancelled or have failed whose inputs are kept so that they can be resumed; lower it when the disk is short.",
  ),
  resumableJobHours: option(
    z.number().positive(),
    defaultJobLimits.resumableJobHours,
    number,
    "Hours for which the inputs of such a job are kept.",
  ),
  shutdownTimeoutMs: option(
    count,
    30_000,
    number,
    "Milliseconds that requests under way have to end at shutdown.",
  ),
  apiKeys: {
    ...option(
      z.array(z.string().min(8)),
      [],
      list,
      "Keys that may do everything, sent as Authorization: Bearer; `crossmodal keys` makes better ones.",
    ),
    secret: true,
  },
  requestsPerMinute: option(
    z.int().min(0),
    0,
    number,
    "Requests a minute of one address, and of a key without a limit of its own; 0 is without limit.",
  ),
  trustedProxies: option(
    z.array(z.string().min(1)),
    [],
    list,
    "Addresses and ranges of proxies in front, comma-separated, e.g. 10.0.0.0/8; the client's address is taken from their X-Forwarded-For.",
  ),
  auditFile: option(
    z.string(),
    "",
    same,
    "File to which each change is appended as a line of JSON: when, who, from where, what; none keeps these lines in the log.",
  ),
  maxConnections: option(
    z.int().min(0),
    1024,
    number,
    "Connections that are open at once; further ones are closed. 0 is without limit.",
  ),
  tlsCert: option(
    z.string(),
    "",
    same,
    "File of the certificate (PEM, with its chain) to serve HTTPS with; read again when it changes.",
  ),
  tlsKey: option(z.string(), "", same, "File of that certificate's private key (PEM)."),
  urlHosts: option(
    z.array(z.string()),
    [],
    list,
    "Hosts that media may be fetched from by URL, comma-separated, or * for any public one; none by default.",
  ),
  corsOrigins: option(
    z.array(z.string()),
    [],
    list,
    "Origins whose web pages may call this server, comma-separated, e.g. https://app.example; * for any, with apiKeys only.",
  ),
  trustedHosts: option(
    z.array(z.string().min(1)),
    [],
    list,
    "Names under which programs on a private network reach this server without a key, comma-separated, e.g. crossmodal in a compose file.",
  ),
  immichUpstream: option(
    z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
    "",
    same,
    "Immich machine-learning server that faces and text recognition are passed on to, e.g. http://immich-machine-learning:3003.",
  ),
  logLevel: option(
    z.enum(["debug", "info", "warn", "error", "silent"]),
    "info",
    same,
    "Least severe event to log.",
  ),
} satisfies Record<string, Option<z.ZodType>>;

export type OptionName = keyof typeof options;
export type Config = { readonly [K in OptionName]: z.infer<(typeof options)[K]["schema"]> };

/** A default as documents show it; empty for none. */
export const shownDefault = (name: OptionName): string => {
  const value: unknown = options[name].default;
  return typeof value === "object" && !Array.isArray(value) ? "" : String(value);
};

export const flagOf = (name: string) =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
export const environmentNameOf = (name: string) =>
  `CROSSMODAL_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

export interface ConfigSources {
  /** Options given as flags, by option name, as text. */
  flags?: Partial<Record<string, string>>;
  environment?: NodeJS.ProcessEnv;
  /** Path of a JSON file of options. */
  file?: string;
}

/**
 * The merged, checked and frozen configuration.
 * @throws AppError `invalid_input` naming the option and where it was set; a misspelt one suggests
 *   the right name.
 */
export function loadConfig({
  flags = {},
  environment = process.env,
  file,
}: ConfigSources = {}): Config {
  const fileName = file ?? environment.CROSSMODAL_CONFIG;
  const fromFile = fileName === undefined ? {} : readConfigFile(fileName);
  const known = Object.keys(options);
  const own = withoutServiceLinks(environment);
  for (const name of Object.keys(fromFile)) {
    if (!known.includes(name)) throw unknownOption(name, `the config file "${fileName}"`, known);
  }
  const variables = known.map(environmentNameOf);
  for (const name of Object.keys(own)) {
    if (
      name.startsWith("CROSSMODAL_") &&
      name !== "CROSSMODAL_CONFIG" &&
      !variables.includes(name)
    ) {
      throw unknownOption(name, "the environment", [...variables, "CROSSMODAL_CONFIG"]);
    }
  }
  const merged: Record<string, unknown> = {};
  for (const [name, { schema, default: fallback, fromText }] of Object.entries(options)) {
    const flag = flags[name];
    const variable = own[environmentNameOf(name)];
    if (flag !== undefined) merged[name] = check(schema, fromText(flag), flagOf(name));
    else if (variable !== undefined)
      merged[name] = check(schema, fromText(variable), environmentNameOf(name));
    else if (name in fromFile)
      merged[name] = check(schema, fromFile[name], `"${name}" in "${fileName}"`);
    else merged[name] = fallback;
  }
  return Object.freeze(merged) as Config;
}

/** The options that are not at their defaults, as they may be logged. */
export function redacted(config: Config): Record<string, unknown> {
  const changed = Object.entries(config).filter(
    ([name, value]) => !isDeepStrictEqual(value, options[name as OptionName].default),
  );
  return Object.fromEntries(
    changed.map(([name, value]) => {
      const secret = "secret" in options[name as OptionName];
      return [name, secret ? `(${(value as unknown[]).length} set)` : value];
    }),
  );
}

/**
 * Kubernetes tells every container of the Services around it: one named `crossmodal` becomes
 * CROSSMODAL_SERVICE_HOST, CROSSMODAL_PORT=tcp://10.0.0.7:8080, CROSSMODAL_PORT_8080_TCP_ADDR and
 * so on, one named `crossmodal-gpu` CROSSMODAL_GPU_SERVICE_HOST. None of them is an option.
 */
function withoutServiceLinks(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isLink = (name: string, value = "") =>
    /^CROSSMODAL_(\w+_)?SERVICE_(HOST|PORT(_\w+)?)$/.test(name) ||
    /^CROSSMODAL_(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (/^CROSSMODAL_(\w+_)?PORT$/.test(name) && /^(tcp|udp|sctp):\/\//i.test(value));
  return Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => !isLink(name, value)),
  );
}

function check(schema: z.ZodType, value: unknown, where: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AppError("invalid_input", `${where}: ${result.error.issues[0].message}`, {
    param: where,
  });
}

function readConfigFile(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new AppError(
      "invalid_input",
      `The config file "${path}" cannot be read: ${(error as Error).message}`,
      {
        param: "config",
        cause: error,
      },
    );
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new AppError("invalid_input", `The config file "${path}" must hold one JSON object`, {
    param: "config",
  });
}

function unknownOption(name: string, where: string, known: readonly string[]): AppError {
  const nearest = closest(name, known);
  return new AppError(
    "invalid_input",
    `Unknown option "${name}" in ${where}; did you mean "${nearest}"?`,
    {
      param: name,
    },
  );
}
