import type { Paint } from "../components/canvas-strip.js";

export interface TimeWindow {
  start_seconds: number;
  end_seconds: number;
  scores: readonly { label: string; score: number }[];
  known?: boolean;
}

/**
 * The stretch that a window represents: from the middle between its centre and that of the window
 * before to the middle between its centre and that of the next; the first from 0, the last to the
 * end. Of windows 0-10, 5-15 and 10-20: 0-7.5, 7.5-12.5 and 12.5-20.
 */
export function stretchesOf(windows: readonly TimeWindow[]): { start: number; end: number }[] {
  const centre = ({ start_seconds, end_seconds }: TimeWindow) => (start_seconds + end_seconds) / 2;
  return windows.map((window, i) => {
    const before = windows[i - 1];
    const after = windows[i + 1];
    return {
      start: before === undefined ? window.start_seconds : (centre(before) + centre(window)) / 2,
      end: after === undefined ? window.end_seconds : (centre(window) + centre(after)) / 2,
    };
  });
}

/** The window that represents a moment. */
export function windowAt(windows: readonly TimeWindow[], seconds: number): TimeWindow {
  const i = stretchesOf(windows).findIndex(({ end }) => seconds < end);
  return windows[i < 0 ? windows.length - 1 : i];
}

/** A lane: how strong a label is in each stretch. */
export function drawLane(
  { context, width, height, colors }: Paint,
  { cells, durationSeconds }: { cells: readonly LaneCell[]; durationSeconds: number },
): void {
  const scale = width / durationSeconds;
  for (const { start, end, score } of cells) {
    const left = start * scale + 0.5;
    const cellWidth = Math.max(0.5, (end - start) * scale - 1);
    context.beginPath();
    context.roundRect(left, 2, cellWidth, height - 4, Math.min(3, cellWidth / 2));
    context.globalAlpha = 1;
    context.fillStyle = colors.sunk;
    context.fill();
    context.globalAlpha = score;
    context.fillStyle = colors.audio;
    context.fill();
  }
  context.globalAlpha = 1;
}

export interface LaneCell {
  /** In seconds. */
  start: number;
  end: number;
  score: number;
}

export function laneOf(windows: readonly TimeWindow[], label: string): LaneCell[] {
  const stretches = stretchesOf(windows);
  return windows.map(({ scores }, i) => ({
    ...stretches[i],
    score: scores.find((one) => one.label === label)?.score ?? 0,
  }));
}

/** Some 5 to 7 marks at round seconds, none at the ends. */
export function ticksOf(durationSeconds: number): number[] {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  const step = steps.find((seconds) => durationSeconds / seconds <= 7) ?? 7200;
  const ticks: number[] = [];
  for (let i = 1; i * step < durationSeconds * 0.97; i++) ticks.push(i * step);
  return ticks;
}
