import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import { closest } from "./closest.js";
import { defaultDataDir } from "./config/data-folder.js";
import { environmentNameOf, flagOf, type Option, shownAddress } from "./config/option.js";
import { type OptionName, options } from "./config/options.js";
import { AppError } from "./errors.js";

export type Config = { readonly [K in OptionName]: z.infer<(typeof options)[K]["schema"]> };

/** Where the command line finds a server: none of the server's own options. */
export const clientVariables = { url: "CROSSMODAL_URL", apiKey: "CROSSMODAL_API_KEY" } as const;

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
  const optionNames = Object.keys(options);
  const variables = withoutServiceLinks(environment);
  for (const name of Object.keys(fromFile)) {
    if (!optionNames.includes(name))
      throw unknownOption(name, `the config file "${fileName}"`, optionNames);
  }
  const variableNames = optionNames.map(environmentNameOf);
  for (const name of Object.keys(variables)) {
    if (
      name.startsWith("CROSSMODAL_") &&
      name !== "CROSSMODAL_CONFIG" &&
      !Object.values<string>(clientVariables).includes(name) &&
      !variableNames.includes(name)
    ) {
      throw unknownOption(name, "the environment", [...variableNames, "CROSSMODAL_CONFIG"]);
    }
  }
  const merged: Record<string, unknown> = {};
  for (const [name, option] of Object.entries<Option<z.ZodType>>(options)) {
    const flag = flags[name];
    const variable = variables[environmentNameOf(name)];
    if (flag !== undefined) merged[name] = checkText(option, flag, flagOf(name));
    else if (variable !== undefined)
      merged[name] = checkText(option, variable, environmentNameOf(name));
    else if (name in fromFile)
      merged[name] = check(option.schema, fromFile[name], `"${name}" in "${fileName}"`);
    else merged[name] = option.default;
  }
  if (merged.dataDir === "") merged.dataDir = defaultDataDir(environment);
  return Object.freeze(merged) as Config;
}

/** The options that are not at their defaults, as they may be logged. */
export function redacted(config: Config): Record<string, unknown> {
  const changed = Object.entries(config).filter(
    ([name, value]) => !isDeepStrictEqual(value, options[name as OptionName].default),
  );
  return Object.fromEntries(
    changed.map(([name, value]) => {
      const { shown } = options[name as OptionName] as Option<z.ZodType>;
      return [name, shown === undefined ? withoutLogins(value) : shown(value)];
    }),
  );
}

/** Any text may be an address, in a list too. */
function withoutLogins(value: unknown): unknown {
  if (typeof value === "string") return value.includes("://") ? shownAddress(value) : value;
  return Array.isArray(value) ? value.map(withoutLogins) : value;
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

function checkText(
  { schema, fromText, shown }: Option<z.ZodType>,
  text: string,
  where: string,
): unknown {
  // Without what may be a secret
  const received = shown === undefined ? `, received "${withoutLogins(text)}"` : "";
  return check(schema, fromText(text), where, received);
}

function check(schema: z.ZodType, value: unknown, where: string, received = ""): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError("invalid_input", `${where}: ${wordsOf(issue)}${received}`, { param: where });
}

function wordsOf(issue: z.core.$ZodIssue): string {
  if (!/^(Too small|Too big|Invalid input)/.test(issue.message)) return issue.message;
  const of = (origin: string) => (origin === "string" ? " characters" : "");
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected === "number" ? "a number" : issue.expected}`;
    case "too_small":
      return issue.inclusive
        ? `expected at least ${issue.minimum}${of(issue.origin)}`
        : `expected more than ${issue.minimum}`;
    case "too_big":
      return `expected at most ${issue.maximum}${of(issue.origin)}`;
    default:
      return issue.message;
  }
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

function unknownOption(name: string, where: string, names: readonly string[]): AppError {
  const nearest = closest(name, names);
  return new AppError(
    "invalid_input",
    `Unknown option "${name}" in ${where}; did you mean "${nearest}"?`,
    {
      param: name,
    },
  );
}
