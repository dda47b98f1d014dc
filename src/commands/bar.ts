import cliProgress, { type Options, type Params, Presets, SingleBar } from "cli-progress";
import stringWidth from "string-width";
import { cutTo } from "./table.js";

/** What a bar shows around itself. */
export type BarText = (params: Params) => { before: string; after: string };

const maxBar = 30;
const minBar = 5;

/** A bar on the terminal of stderr, as wide as its line allows. */
export function createBar(textOf: BarText): SingleBar {
  const format = (options: Options, params: Params) => {
    const { before, after } = textOf(params);
    const columns = process.stderr.columns ?? 80;
    const room = columns - 1 - stringWidth(`${before}  ${after}`);
    // Of an unknown size no part can be shown
    if (room < minBar || params.total === 0) return cutTo(`${before} ${after}`, columns - 1);
    const barsize = Math.min(maxBar, room);
    const drawn = cliProgress.Format.BarFormat(params.progress, { ...options, barsize });
    return `${before} ${drawn} ${after}`;
  };
  // A command ends cleanly on a signal, and prints while it does: the bar must not disappear by
  // itself, nor return to the line where it began.
  const barOptions = { gracefulExit: false, hideCursor: false };
  const bar = new SingleBar(
    { stream: process.stderr, format, ...barOptions },
    Presets.shades_classic,
  );
  const { terminal } = bar as unknown as { terminal: Record<string, () => void> };
  terminal.cursorSave = () => {};
  terminal.cursorRestore = () => {};
  return bar;
}

/** `durationOf(3725)` is "1 h 2 min", `durationOf(65)` "1 min 5 s"; "?" for what is not known. */
export function durationOf(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const wholeSeconds = Math.round(seconds);
  if (wholeSeconds < 60) return `${wholeSeconds} s`;
  if (wholeSeconds < 3600) return `${Math.floor(wholeSeconds / 60)} min ${wholeSeconds % 60} s`;
  return `${Math.floor(wholeSeconds / 3600)} h ${Math.floor((wholeSeconds % 3600) / 60)} min`;
}
