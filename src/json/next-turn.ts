/** Work on one request may block the event loop this long; then it waits for its next turn. */
export const sliceMs = 5;

const waiting: (() => void)[] = [];

/**
 * Waits for a turn of the event loop shared with no other waiter: however many requests work in
 * slices, only one slice runs per turn.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(giveTurn);
  });
}

function giveTurn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(giveTurn);
}

/** A clock for a loop: `if (clock.isUp()) await clock.next()`. */
export function turnClock() {
  let until = performance.now() + sliceMs;
  return {
    isUp: () => performance.now() >= until,
    next: async () => {
      await nextTurn();
      until = performance.now() + sliceMs;
    },
  };
}
