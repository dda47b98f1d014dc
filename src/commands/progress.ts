import cliProgress, { type Options, type Params, Presets, SingleBar } from "cli-progress";

/** How far long work is, told on stderr. */
export interface Progress {
  step(): void;
  /** For work whose size is found while it is done. */
  setTotal(total: number): void;
  stop(): void;
}

const plainEveryMs = 30_000;

/**
 * A bar on a terminal. Elsewhere nothing (pipes want results, not bars), or with `rate` a line now
 * and then, for the log of work that takes hours.
 * @param options.rate  also tell items per second, of the last half minute, and the time left at
 *   that rate.
 */
export function progressBar(
  total: number | undefined,
  what: string,
  options: { rate?: boolean } = {},
): Progress {
  if (options.rate) return process.stderr.isTTY ? rateBar(total, what) : plainProgress(total, what);
  if (!process.stderr.isTTY || total === undefined || total < 2) return nothing;
  const format = `${what} {bar} {value}/{total} · {eta_formatted} left`;
  const bar = new SingleBar(
    { stream: process.stderr, format, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return {
    step: () => bar.increment(),
    setTotal: (found) => bar.setTotal(found),
    stop: () => bar.stop(),
  };
}

const nothing: Progress = { step() {}, setTotal() {}, stop() {} };

/** The library's own estimate takes steps to come evenly; here they come in batches. */
function rateBar(total: number | undefined, what: string): Progress {
  const rate = ratePerSecond();
  let known = total;
  const format = (options: Options, { progress, value }: Params) => {
    const speed = `${rate.now().toFixed(1)} items/s`;
    if (known === undefined) return `${what} ${value} · ${speed}`;
    const left = rate.now() === 0 ? "?" : durationOf((known - value) / rate.now());
    return (
      `${what} ${cliProgress.Format.BarFormat(progress, options)} ${value}/${known} · ${speed} ` +
      `· ${left} left`
    );
  };
  const bar = new SingleBar(
    { stream: process.stderr, format, hideCursor: true, barsize: 30 },
    Presets.shades_classic,
  );
  bar.start(total ?? 0, 0);
  return {
    step() {
      rate.step();
      bar.increment();
    },
    setTotal(found) {
      known = found;
      bar.setTotal(found);
    },
    stop: () => bar.stop(),
  };
}

function plainProgress(total: number | undefined, what: string): Progress {
  const rate = ratePerSecond();
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

/** `durationOf(3725)` is "1 h 2 min", `durationOf(65)` is "1 min 5 s". */
function durationOf(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/**
 * Steps per second over the last half minute: what was skipped at the start says nothing about what
 * is left.
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
