import { AppError } from "../errors.js";

/**
 * Whether work must stop: an AbortSignal, or a flag in shared memory, which works even while a
 * thread does not read messages.
 */
export type Cancellation = Pick<AbortSignal, "aborted">;

/** Called between pieces of long work. @throws AppError `cancelled` */
export function throwIfCancelled(
  signal: Cancellation | undefined,
  activity = "The training run",
): void {
  if (signal?.aborted) throw new AppError("cancelled", `${activity} was cancelled`);
}

/** A flag that one thread sets and another sees at once. */
export const newFlag = (): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(4));

export const cancellationOf = (flag: Int32Array<SharedArrayBuffer>): Cancellation => ({
  get aborted() {
    return Atomics.load(flag, 0) !== 0;
  },
});
