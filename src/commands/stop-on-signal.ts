/**
 * A signal that aborts at the first Ctrl-C (or SIGTERM), so that work can end cleanly; a second one
 * ends the process at once.
 * @param message  the message to print, if any.
 * @returns also `release`, to be called when the work is done.
 */
export function stopOnSignal(message?: string): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const signals = ["SIGINT", "SIGTERM"] as const;
  const release = () => {
    for (const name of signals) process.off(name, stop);
  };
  const stop = () => {
    release();
    // On a terminal, below the ^C that it printed
    if (message !== undefined) console.error(process.stderr.isTTY ? `\n${message}` : message);
    controller.abort();
  };
  for (const name of signals) process.on(name, stop);
  return { signal: controller.signal, release };
}
