import { resolve } from "node:path";
import type { Command } from "commander";
import { ApiError } from "../client/errors.js";
import type { OptionName } from "../config/options.js";
import type { Config } from "../config.js";
import { wasOpened } from "../index/embedded/inspect-database.js";
import { addConfigFlags, addUrlFlags, configOf, modelFlags, storageFlags } from "./options.js";
import { CommandError, openTarget, type Target } from "./target.js";

// biome-ignore lint/suspicious/noExplicitAny: commander hands over options and arguments untyped
type Flags = Record<string, any>;
interface Needs {
  models: boolean;
  stored?: true | WithoutCollections;
  options?: readonly OptionName[];
  check?: (flags: Flags, ...args: never[]) => void;
}
type WithoutCollections = (dataDir: string, flags: Flags) => Promise<void>;

/**
 * A command that works through the routes: its flags, and its work on a server (`--url`) or in this
 * process.
 * @param needs.stored  for commands that only read collections: a missing data folder is not
 *   created. Then a function is called instead of the work; `true` fails.
 * @param needs.models  false for commands that only use the data folder: no model is loaded.
 * @param needs.check  refuses wrong usage before anything is loaded.
 * @param needs.options  further configuration options to add as flags.
 */
export function onTarget(
  command: Command,
  needs: Needs,
  work: (target: Target, flags: Flags, ...args: never[]) => Promise<void>,
): Command {
  addConfigFlags(command, [
    ...storageFlags,
    ...(needs.models ? modelFlags : []),
    ...(needs.options ?? []),
  ]);
  addUrlFlags(command);
  return command.action(async (...all: unknown[]) => {
    const [flags] = all.slice(-2) as [Flags, Command];
    const config = configOf(flags);
    needs.check?.(flags, ...(all.slice(0, -2) as never[]));
    const { stored } = needs;
    if (
      stored !== undefined &&
      flags.url === undefined &&
      config.store === "" &&
      !wasOpened(config.dataDir)
    ) {
      const dataDir = resolve(config.dataDir);
      if (stored !== true) return stored(dataDir, flags);
      const message = `There are no collections in the data folder "${dataDir}"`;
      throw new CommandError(message, { code: "not_found" });
    }
    const models = needs.models ? modelsFor(config, flags) : [];
    const target = await openTarget({ ...config, models }, flags);
    try {
      await work(target, flags, ...(all.slice(0, -2) as never[]));
    } catch (error) {
      const translated = inFlags(error, command);
      const isInFolder = flags.url === undefined && config.store === "";
      throw isInFolder ? namingFolder(translated, config.dataDir) : translated;
    } finally {
      await target.close();
    }
  });
}

/** The configured models, and those that the command names: a server has its own. */
function modelsFor({ models, aliases }: Config, { model, againstModel }: Flags): string[] {
  const named = [model, againstModel].filter((id) => id !== undefined && !(id in aliases));
  return [...new Set([...named, ...models])];
}

/** Fields of requests whose flags have other names. */
const flagOfField: Record<string, string> = {
  a_modality: "--modalities",
  b_modality: "--modalities",
  candidate_labels: "--labels",
  hypothesis_template: "--template",
};

/**
 * The same error with the fields of requests as this command's flags are called. A word without an
 * underscore could also be a name given by the user: it is translated only where the error is about
 * that field.
 */
function inFlags(error: unknown, command: Command): unknown {
  if (!(error instanceof ApiError || error instanceof CommandError)) return error;
  const param = error instanceof ApiError ? error.param : undefined;
  if (error.code === "unauthorized") {
    const message = `${error.message}: give it with --api-key or in CROSSMODAL_API_KEY`;
    return new CommandError(message, { code: error.code });
  }
  const message = error.message.replace(/"([a-z_]+)"/g, (quoted, field: string) => {
    if (!field.includes("_") && field !== param && field !== "force") return quoted;
    const flag = flagOfField[field] ?? `--${field.replaceAll("_", "-")}`;
    return command.options.some(({ long }) => long === flag) ? flag : quoted;
  });
  return message === error.message ? error : new CommandError(message, { code: error.code });
}

/** It may be in another folder. */
function namingFolder(error: unknown, dataDir: string): unknown {
  if (!(error instanceof ApiError || error instanceof CommandError)) return error;
  if (error.code !== "not_found") return error;
  const message = `${error.message} (data folder "${resolve(dataDir)}")`;
  return new CommandError(message, { code: error.code });
}
