import type { ZeroShotAnswer } from "../wire/zero-shot.js";

type Windows = NonNullable<ZeroShotAnswer["timeline"]>;

/** A stretch of a sound in which one label was heard. */
export interface SoundEvent {
  label: string;
  startSeconds: number;
  endSeconds: number;
  /** The highest of its windows. */
  score: number;
}

/**
 * The timeline of a sound as events: adjacent or overlapping windows of one label are one event, in
 * the order of their beginnings.
 *
 * @param multiLabel  whether labels were scored on their own: then every label of a window counts,
 *   else the best one alone. A label that `reject` found not to fit counts in neither.
 */
export function soundEvents(windows: Windows, { multiLabel = false } = {}): SoundEvent[] {
  const open = new Map<string, SoundEvent>();
  const events: SoundEvent[] = [];
  for (const { start_seconds, end_seconds, scores, known } of windows) {
    const fitting = known === false ? [] : scores.filter((one) => one.known !== false);
    for (const { label, score } of multiLabel ? fitting : fitting.slice(0, 1)) {
      const event = open.get(label);
      if (event !== undefined && start_seconds <= event.endSeconds + toleranceSeconds) {
        event.endSeconds = Math.max(event.endSeconds, end_seconds);
        event.score = Math.max(event.score, score);
        continue;
      }
      const begun = { label, startSeconds: start_seconds, endSeconds: end_seconds, score };
      open.set(label, begun);
      events.push(begun);
    }
  }
  return events;
}

/** Ends and beginnings are rounded in the answer. */
const toleranceSeconds = 0.01;
