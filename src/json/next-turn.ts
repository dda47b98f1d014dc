/** Work on one request may hold the event loop this long; then it waits for its next turn. */
export const sliceMs = 5;

const waiting: (() => void)[] = [];

/**
 * The next turn of the event loop that nobody else who waits here has: however many requests are at
 * work in slices, one slice runs in a turn.
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
