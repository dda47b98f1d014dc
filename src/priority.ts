import { AsyncLocalStorage } from "node:async_hooks";

/** Interactive: somebody waits for the answer. Bulk: one of thousands. */
export type Priority = "interactive" | "bulk";

export const priorities: readonly Priority[] = ["interactive", "bulk"];

const current = new AsyncLocalStorage<Priority>();

/** The priority of the current work, by default interactive. */
export const currentPriority = (): Priority => current.getStore() ?? "interactive";

/** Runs `work`, and everything it awaits, at a priority. */
export const withPriority = <T>(priority: Priority, work: () => T): T =>
  current.run(priority, work);

/** Runs bulk work, which gives way: adds, jobs and large requests. */
export const inBulk = <T>(work: () => T): T => withPriority("bulk", work);

// All work of this process shares the processor, so work in progress is counted for all of it.
let interactiveUnderWay = 0;
const paused = new Set<() => void>();
let lastInteractiveAt = Number.NEGATIVE_INFINITY;
/** For this long after a request, another one is expected. */
const expectMs = 5000;
/** However many people ask, bulk work goes on by a batch each time. */
const maxHoldMs = 100;

/** Runs a request whose client is waiting; bulk work holds back meanwhile. */
export async function asInteractive<T>(work: () => Promise<T>): Promise<T> {
  interactiveUnderWay++;
  try {
    return await work();
  } finally {
    interactiveUnderWay--;
    lastInteractiveAt = performance.now();
    if (interactiveUnderWay === 0) for (const resume of paused) resume();
  }
}

/**
 * Whether somebody is waiting for an answer, or was a few seconds ago: bulk work started now may
 * delay the next request.
 */
export const isInteractiveExpected = (): boolean =>
  interactiveUnderWay > 0 || performance.now() - lastInteractiveAt < expectMs;

/**
 * To be awaited before a piece of bulk work: resolves when no interactive request is under way, and
 * after a tenth of a second in any case.
 */
export async function giveWayToInteractive(): Promise<void> {
  if (interactiveUnderWay === 0) return;
  await new Promise<void>((resolve) => {
    const resume = () => {
      clearTimeout(timer);
      paused.delete(resume);
      resolve();
    };
    const timer = setTimeout(resume, maxHoldMs);
    paused.add(resume);
  });
}
