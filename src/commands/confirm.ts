import { createInterface } from "node:readline/promises";
import { CommandError } from "./target.js";

/**
 * Asks on a terminal whether to go on; elsewhere `--yes` has to have been given.
 * @throws CommandError unless the answer is yes.
 */
export async function confirm(what: string, given: { yes?: boolean }): Promise<void> {
  if (given.yes === true) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CommandError(`${what}: do it with --yes, or look first with --dry-run`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${what}? [y/N] `).finally(() => terminal.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError("nothing was changed");
}
