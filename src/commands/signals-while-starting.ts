import { flushLog, type Log } from "../log.js";

/** For the log's last line. */
const lastLineMs = 200;

/**
 * Handles signals while a server starts, which takes seconds to minutes: SIGTERM and SIGINT end the
 * process at once, as nothing is under way yet; a reload is remembered.
 * @returns to be called once the server runs: ends this and says whether a reload was asked for.
 */
export function signalsWhileStarting(log: Log): () => boolean {
  let reloadWanted = false;
  const reload = () => {
    reloadWanted = true;
  };
  const stop = async (signal: NodeJS.Signals) => {
    leave();
    log.info({ signal }, "stopped while starting");
    await flushLog(lastLineMs);
    process.removeAllListeners(signal); // the server may have begun to run
    // By the signal and not by `exit`, which waits for threads: one may load a model, or hang in a
    // driver. Only the first process of a container gets no further than this line.
    process.kill(process.pid, signal);
    process.exit(0);
  };
  // As closeOnSignals: from a terminal that closes, SIGHUP means the end.
  if (!process.stdin.isTTY) process.on("SIGHUP", reload);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, stop);
  const leave = () => {
    process.off("SIGHUP", reload);
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.off(signal, stop);
  };
  return () => {
    leave();
    return reloadWanted;
  };
}
