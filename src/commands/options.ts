import { type Command, InvalidArgumentError, Option } from "commander";
import { flagOf } from "../config/option.js";
import { type OptionName, options, shownDefault } from "../config/options.js";
import { type Config, clientVariables, loadConfig } from "../config.js";
import { refuseOthersFolder } from "./refuse-others-folder.js";

/** Adds flags for configuration options, with the schema's sentence as help. */
export function addConfigFlags(command: Command, names: readonly OptionName[]): Command {
  command.optionsGroup("Where and how it runs:");
  for (const name of names) {
    const fallback = shownDefault(name);
    command.option(
      `${flagOf(name)} <value>`,
      `${options[name].description}${fallback === "" ? "" : ` [${fallback}]`}`,
    );
  }
  return command.option("--config <file>", "JSON file of options");
}

/**
 * The configuration of a command: flags override the environment, which overrides the file, which
 * overrides the defaults.
 * @param usesFolder  whether the command works in the data folder, as all do without `--url`.
 * @throws AppError `invalid_input`, also as root in somebody else's data folder.
 */
export function configOf(
  flags: Record<string, unknown>,
  { usesFolder = flags.url === undefined } = {},
): Config {
  const texts: Record<string, string> = {};
  for (const name of Object.keys(options))
    if (typeof flags[name] === "string") texts[name] = flags[name];
  const config = loadConfig({ flags: texts, file: flags.config as string | undefined });
  if (usesFolder) refuseOthersFolder(config.dataDir);
  return config;
}

/** Where collections are. */
export const storageFlags = [
  "dataDir",
  "store",
  "storePasswordFile",
] as const satisfies OptionName[];

export const modelFlags = [
  "models",
  "device",
  "dtype",
  "threads",
  "resize",
  "hopSeconds",
] as const satisfies OptionName[];

/** Flags of every command that can ask a running server. */
export function addUrlFlags(command: Command): Command {
  return command
    .addOption(
      new Option("--url <url>", "ask the running server there, e.g. http://127.0.0.1:8080").env(
        clientVariables.url,
      ),
    )
    .addOption(new Option("--api-key <key>", "key for that server").env(clientVariables.apiKey))
    .option("--json", "print the result as JSON");
}

/** An option that may be repeated: each adds to the list. */
export const collect = (value: string, list: string[] = []): string[] => [...list, value];

/** `a,b,c` -> ["a", "b", "c"]. */
export function parseList(text: string): string[] {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  if (parts.length === 0) throw new InvalidArgumentError("Expected a comma-separated list.");
  return parts;
}

export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new InvalidArgumentError("Expected a number.");
  return value;
}

export function parseCount(text: string): number {
  const value = parseNumber(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("Expected a whole number of at least 1.");
  return value;
}

/** `{"year": 2021}` -> the object. */
export function parseJsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // told below
  }
  throw new InvalidArgumentError("Expected a JSON object.");
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
