import { Presets, SingleBar } from "cli-progress";

/** Progress on stderr: a bar on a terminal, nothing elsewhere (pipes and logs want results, not bars). */
export function progressBar(total: number, what: string): { step(): void; stop(): void } {
  if (!process.stderr.isTTY || total < 2) return { step() {}, stop() {} };
  const format = `${what} {bar} {value}/{total} · {eta_formatted} left`;
  const bar = new SingleBar({ stream: process.stderr, format, hideCursor: true }, Presets.shades_classic);
  bar.start(total, 0);
  return { step: () => bar.increment(), stop: () => bar.stop() };
}
