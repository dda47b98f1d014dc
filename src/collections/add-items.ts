import { AppError } from "../errors.js";
import type { Item, ItemStatus } from "../index/item.js";
import type { VectorStore } from "../index/vector-store.js";
import type { KeptMedia, Lease } from "../kept-media/kept-media.js";
import { giveWayToInteractive } from "../priority.js";
import type { NewItem } from "./new-item.js";
import { type PreparedItem, type PrepareParts, prepareItems } from "./prepare-items.js";

export interface AddParts extends Omit<PrepareParts, "lease"> {
  store: VectorStore;
  keptMedia: Pick<KeptMedia, "lease">;
}

/**
 * An incoming item; one that could not be read is an error, with its id if that was readable.
 */
export type Incoming = NewItem | Unreadable;
interface Unreadable {
  id?: string;
  error: AppError;
}

/** The id is null when it could not be read. */
export type AddStatus =
  | { id: string; status: "stored"; replaced: boolean; warnings?: readonly string[] }
  | { id: string | null; status: "failed"; error: AppError };

/** Groups that are prepared at the same time, while the previous one is written. */
const groupsUnderWay = 4;

/**
 * Adds groups of items as they come: decodes and embeds several at once, writes one after the other
 * in their order, so that of two items with one id the later stays. Each item gets one status, in
 * order, once it is durable.
 *
 * Groups are taken only while there is room for them, which slows down a source that is faster than
 * the encoders or than the reader of the statuses. When the source fails, earlier items are added
 * and reported first.
 *
 * @param during  wraps the work on each group.
 * @throws what `groups` throws, at the end; the signal's reason when it aborts.
 */
export async function* addItems(
  parts: AddParts,
  collection: string,
  groups: AsyncIterable<readonly Incoming[]>,
  {
    signal,
    during = (work) => work,
  }: { signal?: AbortSignal; during?: <T>(work: Promise<T>) => Promise<T> } = {},
): AsyncGenerator<AddStatus[]> {
  const source = groups[Symbol.asyncIterator]();
  const underWay: Promise<PreparedGroup>[] = [];
  let failure: { error: unknown } | undefined;
  const take = () =>
    source.next().then(
      (result) => ({ group: result.done === true ? undefined : result.value }),
      (error) => {
        failure = { error };
        return { group: undefined };
      },
    );
  let next: ReturnType<typeof take> | undefined = take();
  try {
    while (next !== undefined || underWay.length > 0) {
      // Whichever comes first: a status never waits for the next item to arrive.
      const first = underWay[0]?.then((prepared) => ({ prepared }));
      const events = [first, underWay.length < groupsUnderWay ? next : undefined].filter(
        (event) => event !== undefined,
      );
      const event = await Promise.race<
        { prepared: PreparedGroup } | { group?: readonly Incoming[] }
      >(events);
      if ("prepared" in event) {
        underWay.shift();
        yield await during(storeGroup(parts, collection, event.prepared, signal));
      } else if (event.group === undefined) next = undefined;
      else {
        const preparing = during(prepareGroup(parts, collection, event.group, signal));
        preparing.catch(() => undefined); // reported when its turn comes
        underWay.push(preparing);
        next = take();
      }
    }
  } finally {
    // Not awaited: it comes after a read that may still wait for the client
    source.return?.().catch(() => undefined);
    for (const left of await Promise.allSettled(underWay))
      if (left.status === "fulfilled") await left.value.lease.release();
  }
  if (failure !== undefined) throw failure.error;
}

interface PreparedGroup {
  incoming: readonly Incoming[];
  results: readonly (PreparedItem | AppError)[];
  space?: string;
  /** Keeps the media of the group until its items are stored. */
  lease: Lease;
}

/** @throws AppError when the database was away for each of them: all are to be sent again. */
export function refuseIfAway(statuses: readonly AddStatus[]): void {
  const isAway = (one: AddStatus) =>
    one.status === "failed" && one.error.code === "storage_unavailable";
  const [first] = statuses;
  if (first?.status === "failed" && statuses.every(isAway)) throw first.error;
}

/** The collection is looked up for each group: it may be dropped or replaced meanwhile. */
async function prepareGroup(
  parts: AddParts,
  collection: string,
  incoming: readonly Incoming[],
  signal: AbortSignal | undefined,
): Promise<PreparedGroup> {
  const lease = parts.keptMedia.lease();
  try {
    const stats = await parts.store.stats(collection);
    const items = incoming.map((one) => ("error" in one ? one.error : one));
    return {
      incoming,
      results: await prepareItems({ ...parts, lease }, stats, items, signal),
      space: stats.space,
      lease,
    };
  } catch (error) {
    await lease.release();
    signal?.throwIfAborted();
    const appError = asAppError(error);
    const results = incoming.map((one) => ("error" in one ? one.error : appError));
    return { incoming, results, lease };
  }
}

async function storeGroup(
  parts: AddParts,
  collection: string,
  group: PreparedGroup,
  signal: AbortSignal | undefined,
  isSecondTry = false,
): Promise<AddStatus[]> {
  try {
    return await storePrepared(parts, collection, group, signal, isSecondTry);
  } finally {
    await group.lease.release();
  }
}

async function storePrepared(
  parts: AddParts,
  collection: string,
  { incoming, results, space }: PreparedGroup,
  signal: AbortSignal | undefined,
  isSecondTry: boolean,
): Promise<AddStatus[]> {
  const items = results.flatMap((result): Item[] => {
    if (result instanceof AppError) return [];
    const { warnings: _, ...item } = result;
    return [item];
  });
  let statuses: (ItemStatus | AppError)[] = [];
  if (items.length > 0) {
    await giveWayToInteractive();
    try {
      statuses = await parts.store.upsert(collection, items, { signal, space });
    } catch (error) {
      signal?.throwIfAborted();
      const appError = asAppError(error);
      if (appError.code === "conflict" && !isSecondTry) {
        // The collection was replaced after its items were prepared (by one under another head, for
        // example): they are prepared again for the new one.
        return storeGroup(
          parts,
          collection,
          await prepareGroup(parts, collection, incoming, signal),
          signal,
          true,
        );
      }
      statuses = items.map(() => appError);
    }
  }
  let stored = 0;
  return results.map((result, i): AddStatus => {
    const { id } = incoming[i];
    if (result instanceof AppError) return { id: id ?? null, status: "failed", error: result };
    const status = statuses[stored++];
    if (status instanceof AppError) return { id: result.id, status: "failed", error: status };
    if (status.status === "stored")
      return result.warnings === undefined ? status : { ...status, warnings: result.warnings };
    const { code, message, param } = status.error;
    return { id: result.id, status: "failed", error: new AppError(code, message, { param }) };
  });
}

/**
 * A failure by design concerns the items of the group; anything else is a bug and ends the stream.
 */
function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  throw error;
}
