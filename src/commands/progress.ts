import { Presets, SingleBar } from "cli-progress";

/** How far long work is, told on stderr. */
export interface Progress {
  step(): void;
  /** For work whose size is found while it is done. */
  setTotal(total: number): void;
  stop(): void;
}

const plainEveryMs = 30_000;

/**
 * A bar on a terminal. Elsewhere nothing (pipes want results, not bars), or with `rate` a line now and then, for the log
 * of work that takes hours.
 * @param options.rate  also tell items per second, of the last seconds.
 */
export function progressBar(total: number | undefined, what: string, options: { rate?: boolean } = {}): Progress {
  const rate = options.rate ? ratePerSecond() : undefined;
  if (!process.stderr.isTTY) return options.rate ? plainProgress(total, what, rate!) : nothing;
  if (total !== undefined && total < 2 && !options.rate) return nothing;
  const rateText = () => (rate === undefined ? {} : { rate: `${rate.now().toFixed(1)} items/s · ` });
  const format = `${what} {bar} {value}/{total} · ${options.rate ? "{rate}" : ""}{eta_formatted} left`;
  const bar = new SingleBar(
    { stream: process.stderr, format, hideCursor: true, etaBuffer: 200, etaAsynchronousUpdate: true },
    Presets.shades_classic,
  );
  bar.start(total ?? 0, 0, rateText());
  return {
    step() {
      rate?.step();
      bar.increment(1, rateText());
    },
    setTotal: (found) => bar.setTotal(found),
    stop: () => bar.stop(),
  };
}

const nothing: Progress = { step() {}, setTotal() {}, stop() {} };

function plainProgress(total: number | undefined, what: string, rate: ReturnType<typeof ratePerSecond>): Progress {
  let done = 0;
  const tell = () => {
    const of = total === undefined ? "" : ` of ${total}`;
    console.error(`${what}: ${done}${of}, ${rate.now().toFixed(1)} items/s`);
  };
  const timer = setInterval(tell, plainEveryMs).unref();
  return {
    step() {
      done++;
      rate.step();
    },
    setTotal(found) {
      total = found;
    },
    stop: () => clearInterval(timer),
  };
}

/** Steps per second over the last ten seconds or so: what was skipped at the start says nothing about what is left. */
function ratePerSecond(windowMs = 10_000) {
  let marks = [{ at: performance.now(), count: 0 }];
  let count = 0;
  return {
    step() {
      count++;
      const at = performance.now();
      if (at - marks[marks.length - 1].at < windowMs / 20) return;
      marks.push({ at, count });
      marks = marks.filter((mark, i) => at - mark.at < windowMs || i >= marks.length - 1);
    },
    now() {
      const [first] = marks;
      const seconds = (performance.now() - first.at) / 1000;
      return seconds < 0.05 ? 0 : (count - first.count) / seconds;
    },
  };
}
