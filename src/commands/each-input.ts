import { Failures } from "./failures.js";
import { checkOutput } from "./output.js";
import { progressBar } from "./progress.js";
import { CommandError, isReported } from "./target.js";

/** Concurrent inputs: enough to fill a batch, few enough to hold in memory. */
const maxAtOnce = 8;

interface InputWork<T> {
  /** The label of the bar. */
  activity: string;
  /** Several at once. */
  ask: (position: number) => Promise<T>;
  /** One after another, in the order of the inputs. */
  report: (answer: T, position: number) => void | Promise<void>;
}

/**
 * Requests an answer for every input, with a bar, and reports the answers in order. An input that
 * fails does not affect the others.
 * @throws CommandError at the end that tells which failed; its code is the one that they have in
 *   common.
 */
export async function eachInput<T>(
  names: readonly string[],
  { activity, ask, report }: InputWork<T>,
): Promise<void> {
  const failures = new Failures();
  const bar = progressBar(names.length, activity);
  const answers: Promise<T>[] = [];
  const startUpTo = (end: number) => {
    while (answers.length < Math.min(end, names.length)) {
      const answer = ask(answers.length);
      answer.catch(() => undefined); // awaited in its turn
      answers.push(answer);
    }
  };
  try {
    for (const [position, name] of names.entries()) {
      startUpTo(position + maxAtOnce);
      try {
        const answer = await answers[position];
        delete answers[position]; // not held to the end
        await report(answer, position);
        checkOutput();
      } catch (error) {
        if (!isReported(error)) throw error;
        failures.add(name, error.message, error.code);
      }
      bar.step();
    }
  } finally {
    bar.stop();
  }
  const { code, count } = failures;
  if (count > 0) throw new CommandError(failures.lines().join("\ncrossmodal: "), { code });
}
