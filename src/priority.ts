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
