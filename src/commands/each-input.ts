import { checkOutput } from "./output.js";
import { progressBar } from "./progress.js";
import { CommandError, isReported } from "./target.js";

/**
 * Does `work` for one input after another, with a bar. An input that fails does not hold back the
 * others.
 * @throws CommandError at the end, with a line for each that failed.
 */
export async function eachInput(
  names: readonly string[],
  what: string,
  work: (name: string, position: number) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  const bar = progressBar(names.length, what);
  try {
    for (const [position, name] of names.entries()) {
      try {
        await work(name, position);
        checkOutput();
      } catch (error) {
        if (!isReported(error)) throw error;
        failures.push(error.message.startsWith(name) ? error.message : `${name}: ${error.message}`);
      }
      bar.step();
    }
  } finally {
    bar.stop();
  }
  if (failures.length > 0) throw new CommandError(failures.join("\ncrossmodal: "));
}
