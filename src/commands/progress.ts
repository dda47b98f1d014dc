import { createBar, durationOf } from "./bar.js";

/** Progress of long work, on stderr. */
export interface Progress {
  step(): void;
  /** For work whose size is discovered as it proceeds. */
  setTotal(total: number): void;
  stop(): void;
}

/** How often long work writes a line where there is no terminal. */
export const plainEveryMs = 30_000;

/**
 * A bar on a terminal. Elsewhere nothing, or with `rate` an occasional line, for the log of work
 * that takes hours.
 * @param options.rate  also show items per second over the last half minute, and the time left at
 *   that rate.
 */
export function progressBar(
  total: number | undefined,
  label: string,
  options: { rate?: boolean } = {},
): Progress {
  if (options.rate)
    return process.stderr.isTTY ? rateBar(total, label) : plainProgress(total, label);
  if (!process.stderr.isTTY || total === undefined || total < 2) return nothing;
  const bar = createBar(({ value, total, eta }) => ({
    before: label,
    after: `${value}/${total} · ${durationOf(Number(eta))} left`,
  }));
  bar.start(total, 0);
  return {
    step: () => bar.increment(),
    setTotal: (found) => bar.setTotal(found),
    stop: () => bar.stop(),
  };
}

const nothing: Progress = { step() {}, setTotal() {}, stop() {} };

/** The library's estimate assumes even steps; here they come in batches. */
function rateBar(total: number | undefined, label: string): Progress {
  const rate = ratePerSecond();
  let expected = total;
  const bar = createBar(({ value }) => {
    const speed = `${rate.now().toFixed(1)} items/s`;
    if (expected === undefined) return { before: `${label} ${value}`, after: `· ${speed}` };
    const left = durationOf(rate.now() === 0 ? Number.NaN : (expected - value) / rate.now());
    return { before: label, after: `${value}/${expected} · ${speed} · ${left} left` };
  });
  bar.start(total ?? 0, 0);
  return {
    step() {
      rate.step();
      bar.increment();
    },
    setTotal(found) {
      expected = found;
      bar.setTotal(found);
    },
    stop: () => bar.stop(),
  };
}

function plainProgress(total: number | undefined, label: string): Progress {
  const rate = ratePerSecond();
  let done = 0;
  const printLine = () => {
    const of = total === undefined ? "" : ` of ${total}`;
    console.error(`${label}: ${done}${of}, ${rate.now().toFixed(1)} items/s`);
  };
  const timer = setInterval(printLine, plainEveryMs).unref();
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

/**
 * Steps per second over the last half minute: items skipped at the start say nothing about the
 * rest.
 */
function ratePerSecond(windowMs = 30_000) {
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
