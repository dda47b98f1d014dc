import { AsyncLocalStorage } from "node:async_hooks";

/** Somebody waits for the answer, or it is one of thousands. */
export type Priority = "interactive" | "bulk";

export const priorities: readonly Priority[] = ["interactive", "bulk"];

const current = new AsyncLocalStorage<Priority>();

/** Of the work under way: interactive unless something else was said. */
export const currentPriority = (): Priority => current.getStore() ?? "interactive";

/** Runs `work`, and all that it waits for, at a priority. */
export const withPriority = <T>(priority: Priority, work: () => T): T =>
  current.run(priority, work);

/** Runs work that gives way: adds, jobs and large requests. */
export const inBulk = <T>(work: () => T): T => withPriority("bulk", work);
