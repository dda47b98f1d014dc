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

// The processor is shared by all work of this process, so what is under way is counted for all.
let interactiveUnderWay = 0;
const paused = new Set<() => void>();
let lastInteractiveAt = Number.NEGATIVE_INFINITY;
/** After a request another one is expected for so long. */
const expectMs = 5000;
/** However many people ask, bulk work goes on by a batch each time. */
const maxHoldMs = 100;

/** Runs a request whose client waits; bulk work begins little meanwhile. */
export async function asInteractive<T>(work: () => Promise<T>): Promise<T> {
  interactiveUnderWay++;
  try {
    return await work();
  } finally {
    interactiveUnderWay--;
    lastInteractiveAt = performance.now();
    if (interactiveUnderWay === 0) for (const goOn of paused) goOn();
  }
}

/**
 * Whether somebody waits for an answer, or did a few seconds ago: whatever bulk work begins now may
 * be what the next request has to wait for.
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
    const goOn = () => {
      clearTimeout(timer);
      paused.delete(goOn);
      resolve();
    };
    const timer = setTimeout(goOn, maxHoldMs);
    paused.add(goOn);
  });
}
