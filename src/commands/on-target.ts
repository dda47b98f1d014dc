import type { Command } from "commander";
import type { OptionName } from "../config/options.js";
import { addConfigFlags, addUrlFlags, configOf, modelFlags } from "./options.js";
import { openTarget, type Target } from "./target.js";

// biome-ignore lint/suspicious/noExplicitAny: commander hands over options and arguments untyped
type Given = Record<string, any>;

/**
 * A command that works through the routes: its flags, and its work with a server (`--url`) or with
 * this process, which then is closed.
 * @param needs.models  false for what only reads and writes the data folder: no model is loaded for
 *   it.
 * @param needs.options  further options of the configuration that it has flags for.
 */
export function onTarget(
  command: Command,
  needs: { models: boolean; options?: readonly OptionName[] },
  work: (target: Target, given: Given, ...args: never[]) => Promise<void>,
): Command {
  addConfigFlags(command, [
    "dataDir",
    ...(needs.models ? modelFlags : []),
    ...(needs.options ?? []),
  ]);
  addUrlFlags(command);
  return command.action(async (...all: unknown[]) => {
    const [given] = all.slice(-2) as [Given, Command];
    const config = configOf(given);
    const target = await openTarget(needs.models ? config : { ...config, models: [] }, given);
    try {
      await work(target, given, ...(all.slice(0, -2) as never[]));
    } finally {
      await target.close();
    }
  });
}
