import { effect } from "@preact/signals";
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

let isStarted = false;
let isSaved = true;
const written = new Set<string>();

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
    const tab = tabName();
    await forgetOld(store);
    await restore(store, tab);
    follow(store, tab);
  } catch {
    isSaved = false; // The browser keeps nothing: leaving asks
  }
}

function follow(store: Store, tab: string): void {
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
        () => undefined,
      );
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
}

async function write(store: Store, tab: string): Promise<void> {
  const kind = modality.peek();
  const current = classes.peek();
  const files = new Map(
    current.flatMap(({ examples }) => examples.map(({ key, blob }) => [key, blob] as const)),
  );
  for (const key of written) {
    if (files.has(key)) continue;
    await store("readwrite", (all) => all.delete(`${tab}/${key}`));
    written.delete(key);
  }
  for (const [key, blob] of files) {
    if (written.has(key)) continue;
    await store("readwrite", (all) => all.put(blob, `${tab}/${key}`));
    written.add(key);
  }
  if (kind === undefined) return void (await store("readwrite", (all) => all.delete(tab)));
  const kept: Kept = {
    at: Date.now(),
    kind,
    classes: current.map(({ name, examples }) => ({
      name,
      examples: examples.map(({ key, name }) => ({ key, name })),
    })),
  };
  await store("readwrite", (all) => all.put(kept, tab));
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
      written.add(example.key);
    }
    found.push({ name, examples: files });
  }
  restoreClasses(kept.kind, found);
}

async function forgetOld(store: Store): Promise<void> {
  const tabs = (await store<string[]>("readonly", (all) => all.getAllKeys())).filter(
    (key) => !key.includes("/"),
  );
  for (const tab of tabs) {
    const { at } = await store<Kept>("readonly", (all) => all.get(tab));
    if (Date.now() - at < keptMs) continue;
    // "0" is the character after "/"
    await store("readwrite", (all) => all.delete(IDBKeyRange.bound(tab, `${tab}0`)));
  }
}

function tabName(): string {
  const entry = "crossmodal-tab";
  const name = sessionStorage.getItem(entry) ?? `${Date.now()}-${Math.random()}`;
  sessionStorage.setItem(entry, name);
  return name;
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
