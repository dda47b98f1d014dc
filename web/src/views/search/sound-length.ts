import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Shown } from "./feed.js";
import { mediaUrlOf } from "./player.js";

/**
 * How long sounds are, by collection and id, as far as it is known. The server keeps no such fact,
 * but the head of a kept file says it: the browser reads that of the sounds in view.
 */
const lengths = signal<ReadonlyMap<string, number>>(new Map());

/** Rows that are scrolled past are not asked about. */
const restMs = 200;
const readsAtOnce = 3;
let reading = 0;
const waiting: (() => void)[] = [];

const keyOf = (collection: string, { id }: Shown) => JSON.stringify([collection, id]);

/** In seconds; undefined while it is not known, and of what is no sound or not kept. */
export function useSoundLength(collection: string, item: Shown): number | undefined {
  const key = keyOf(collection, item);
  const url = item.modality === "audio" ? mediaUrlOf(item) : undefined;
  useEffect(() => {
    if (url === undefined || lengths.peek().has(key)) return;
    const abort = new AbortController();
    const timer = setTimeout(() => void read(key, url, abort.signal), restMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, url === undefined]);
  return lengths.value.get(key);
}

async function read(key: string, url: string, abort: AbortSignal): Promise<void> {
  if (reading >= readsAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  reading++;
  try {
    const seconds = abort.aborted ? undefined : await secondsAt(url, abort);
    if (seconds !== undefined) lengths.value = new Map([...lengths.peek(), [key, seconds]]);
  } finally {
    reading--;
    waiting.shift()?.();
  }
}

/** From the head of the file; undefined where the browser cannot tell. */
function secondsAt(url: string, abort: AbortSignal): Promise<number | undefined> {
  const audio = new Audio();
  audio.preload = "metadata";
  return new Promise<number | undefined>((resolve) => {
    const end = () => resolve(Number.isFinite(audio.duration) ? audio.duration : undefined);
    for (const event of ["loadedmetadata", "error"]) audio.addEventListener(event, end);
    abort.addEventListener("abort", end);
    audio.src = url;
  }).finally(() => {
    audio.removeAttribute("src");
    audio.load(); // lets go of the connection
  });
}
