import { effect, signal } from "@preact/signals";
import { pause } from "../../../../src/client/retry.js";
import { classes, type KeptClass, modality, restoreClasses, type TaughtModality } from "./state.js";

/** What is kept under the name of a tab; files are under `${tab}/${key of the example}`. */
interface Kept {
  at: number;
  kind: TaughtModality;
  classes: readonly { name: string; examples: readonly { key: string; name: string }[] }[];
}

const storeName = "examples";
/** Tabs that were closed come back with what they hold, but not after a week. */
const keptMs = 7 * 24 * 3600 * 1000;
const pauseMs = 200;

/** Whether the classes of before a reload are there: until then, none are given. */
export const isRestored = signal(false);

let isStarted = false;
let isSaved = true;

/** Keeps this tab's classes in the browser, so that a reload loses none of the examples. */
export async function keepClasses(): Promise<void> {
  if (isStarted) return;
  isStarted = true;
  addEventListener("beforeunload", (event) => {
    if (!isSaved && classes.peek().some(({ examples }) => examples.length > 0))
      event.preventDefault();
  });
  try {
    const store = await openStore();
    const { tab, source } = await tabName();
    await restore(store, source);
    isRestored.value = true;
    await follow(store, tab);
    await forgetOld(store);
  } catch {
    isSaved = false; // The browser keeps nothing: leaving asks
  } finally {
    isRestored.value = true;
  }
}

/** Saves now, after each change, and when the tab is shown: so it does not count as old. */
async function follow(store: Store, tab: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let saving = Promise.resolve();
  const save = () => {
    clearTimeout(timer);
    saving = saving
      .then(() => write(store, tab))
      .then(
        () => {
          isSaved = true;
        },
        () => {
          isSaved = false;
        },
      );
    return saving;
  };
  let isFirst = true;
  effect(() => {
    void classes.value;
    if (!isFirst) {
      isSaved = false;
      clearTimeout(timer);
      timer = setTimeout(save, pauseMs);
    }
    isFirst = false;
  });
  document.addEventListener("visibilitychange", save);
  await save();
}

/** Makes the store hold what the page does, in one transaction: all of it or nothing. */
async function write(store: Store, tab: string): Promise<void> {
  const kind = modality.peek();
  const current = classes.peek();
  const files = new Map(
    current.flatMap(({ examples }) =>
      examples.map(({ key, blob }) => [`${tab}/${key}`, blob] as [string, Blob]),
    ),
  );
  await store("readwrite", (all) => {
    const asking = all.getAllKeys(everythingOf(tab));
    asking.onsuccess = () => {
      const stored = new Set(asking.result as string[]);
      for (const key of stored) if (!files.has(key)) all.delete(key);
      for (const [key, blob] of files) if (!stored.has(key)) all.put(blob, key);
      if (kind === undefined) return;
      const kept: Kept = {
        at: Date.now(),
        kind,
        classes: current.map(({ name, examples }) => ({
          name,
          examples: examples.map(({ key, name }) => ({ key, name })),
        })),
      };
      all.put(kept, tab);
    };
    return asking;
  });
}

async function restore(store: Store, tab: string): Promise<void> {
  const kept = await store<Kept | undefined>("readonly", (all) => all.get(tab));
  if (kept === undefined) return;
  const found: KeptClass[] = [];
  for (const { name, examples } of kept.classes) {
    const files: KeptClass["examples"][number][] = [];
    for (const example of examples) {
      const blob = await store<Blob | undefined>("readonly", (all) =>
        all.get(`${tab}/${example.key}`),
      );
      if (blob === undefined) continue;
      const text = kept.kind === "text" ? await blob.text() : undefined;
      files.push({ ...example, blob, text });
    }
    found.push({ name, examples: files });
  }
  restoreClasses(kept.kind, found);
}

/** Forgets tabs that were closed long ago, and files that belong to none. */
async function forgetOld(store: Store): Promise<void> {
  const keys = await store<string[]>("readonly", (all) => all.getAllKeys());
  const locks = await navigator.locks?.query();
  const open = new Set(locks?.held?.map(({ name }) => name));
  for (const tab of new Set(keys.map((key) => key.split("/")[0]))) {
    const kept = await store<Kept | undefined>("readonly", (all) => all.get(tab));
    const isRecent = kept !== undefined && Date.now() - kept.at < keptMs;
    if (isRecent || open.has(lockOf(tab))) continue;
    await store("readwrite", (all) => all.delete(everythingOf(tab)));
  }
}

// "0" is the character after "/"
const everythingOf = (tab: string) => IDBKeyRange.bound(tab, `${tab}0`);

/**
 * The name that this tab saves under, and the one that it begins with: a tab that was duplicated
 * has that of the other, which goes on using it.
 */
async function tabName(): Promise<{ tab: string; source: string }> {
  const entry = "crossmodal-tab";
  const source = sessionStorage.getItem(entry);
  if (source !== null && (await takeName(source))) return { tab: source, source };
  const tab = `${Date.now()}-${Math.random()}`;
  await takeName(tab);
  sessionStorage.setItem(entry, tab);
  return { tab, source: source ?? tab };
}

const lockOf = (tab: string) => `crossmodal-teach ${tab}`;

/** Takes a name for as long as this tab is open; false if another tab has it. */
async function takeName(tab: string): Promise<boolean> {
  if (navigator.locks === undefined) return true; // Plain HTTP from another machine
  // After a reload, the page of before may still be closing
  for (let i = 0; i < 20; i++) {
    const isOurs = await new Promise<boolean>((resolve, reject) => {
      const hold = (lock: Lock | null) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise<void>(() => undefined);
      };
      navigator.locks.request(lockOf(tab), { ifAvailable: true }, hold).catch(reject);
    });
    if (isOurs) return true;
    await pause(100);
  }
  return false;
}

type Store = <T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest,
) => Promise<T>;

async function openStore(): Promise<Store> {
  const opening = indexedDB.open("crossmodal-teach", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(storeName);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  return (mode, work) =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction(storeName, mode);
      const request = work(transaction.objectStore(storeName));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
}
