import { type Command, InvalidArgumentError } from "commander";
import { type Config, flagOf, loadConfig, type OptionName, options } from "../config.js";

/** Adds flags for configuration options, with the schema's own sentence as help. */
export function addConfigFlags(command: Command, names: readonly OptionName[]): Command {
  for (const name of names) {
    const fallback = String(options[name].default);
    command.option(`${flagOf(name)} <value>`, `${options[name].about}${fallback === "" ? "" : ` [${fallback}]`}`);
  }
  return command.option("--config <file>", "JSON file of options");
}

/** The configuration of a command: its flags over the environment over the file over the defaults. */
export function configOf(given: Record<string, unknown>): Config {
  const flags: Record<string, string> = {};
  for (const name of Object.keys(options)) if (typeof given[name] === "string") flags[name] = given[name];
  return loadConfig({ flags, file: given.config as string | undefined });
}

/** Flags of every command that asks a server or works by itself. */
export function addTargetFlags(command: Command): Command {
  return addConfigFlags(command, ["dataDir", "models", "device", "dtype", "threads"])
    .option("--url <url>", "ask the server there instead of loading the models here")
    .option("--api-key <key>", "key for that server")
    .option("--json", "print the result as JSON");
}

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
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}
