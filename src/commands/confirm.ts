import { createInterface } from "node:readline/promises";
import { CommandError } from "./target.js";

/**
 * Asks on a terminal whether to continue; elsewhere `--yes` is required.
 * @throws CommandError unless the answer is yes.
 */
export async function confirm(consequence: string, flags: { yes?: boolean }): Promise<void> {
  if (flags.yes === true) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CommandError(`${consequence}: confirm with --yes, or try --dry-run first`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${consequence}? [y/N] `).finally(() => terminal.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError("nothing was changed");
}
