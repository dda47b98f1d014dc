import { batch, computed, signal } from "@preact/signals";
import { ApiError, ConnectionError, createClient } from "../../src/client/client.js";
import { UnreadableFile, unreadableFile } from "./files.js";
import { sizeText } from "./media.js";

const storageKey = "crossmodal.apiKey";

/** Kept until the tab is closed. */
const apiKey = signal(sessionStorage.getItem(storageKey) ?? undefined);

/** A key is to be entered: the server asks for one, or the user wants to change it. */
export const needsKey = signal(false);

/** The server does not accept the key that it was given. */
export const isRefused = signal(false);

/** The server's address: the one this page came from. */
export const serverUrl = new URL(".", location.href.replace(/[?#].*$/s, "")).href.replace(
  /\/$/,
  "",
);

/** The client for this page's server; a new one after a key was entered. */
export const server = computed(() =>
  createClient({ url: serverUrl, apiKey: apiKey.value, fetch: watchedFetch, maxRetries: 1 }),
);

export const hasKey = computed(() => apiKey.value !== undefined);

/** Everything is requested again with the key. */
export function enterKey(key: string): void {
  sessionStorage.setItem(storageKey, key);
  batch(() => {
    apiKey.value = key;
    isRefused.value = false;
    needsKey.value = false;
    returns.value++;
  });
}

/** Counts what makes failures worth another try: the server is back, or a key was entered. */
export const returns = signal(0);

/** Requests sent while the page is closing are completed. */
let isLeaving = false;
addEventListener("pagehide", () => {
  isLeaving = true;
});
addEventListener("pageshow", () => {
  isLeaving = false;
});

/** Counts requests that got no answer. */
export const lostRequests = signal(0);

async function watchedFetch(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, isLeaving ? { ...init, keepalive: true } : init).catch(
    async (error: unknown) => {
      // The browser reports both in the same way
      const unreadable = await unreadableFile(init.body);
      if (unreadable === undefined && error instanceof TypeError) lostRequests.value++;
      throw unreadable ?? error;
    },
  );
  if (response.status === 401) {
    // Without keys, a 401 means that this page was opened under a name that is not the server's.
    const body = (await response.clone().json()) as { error?: { param?: string } };
    const key = new Headers(init.headers).get("authorization")?.replace(/^Bearer /, "");
    // An answer to a request with an earlier key says nothing about this one
    if (body.error?.param === "authorization" && key === apiKey.peek()) {
      isRefused.value = key !== undefined;
      needsKey.value = true;
    }
  }
  return response;
}

/** What happened and what to do, in sentences for the user. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Error && error.cause instanceof UnreadableFile) return error.cause.message;
  if (error instanceof ConnectionError || error instanceof TypeError)
    return navigator.onLine
      ? "The server does not answer. Start it again; nothing that was stored is lost."
      : "This device is offline. Connect it again; nothing that was stored is lost.";
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const { code, param, message } = error;
  switch (code) {
    case undefined:
      return `${message}. Something between this page and the server answered in its place.`;
    case "overloaded":
      return "The server is overloaded. Try again in a moment.";
    case "not_found":
      return elsewhere.has(param?.split(".").at(-1) ?? "")
        ? `${message}: it may have been deleted in another window.`
        : message;
    case "too_large":
      return media.has(param)
        ? `${readable(message)}. Make the file smaller or shorter, or raise this option.`
        : message;
    case "timeout":
      return `${readable(message)}. ${sendLess}`;
    default:
      return message;
  }
}

const sendLess = "Send less at once, a long sound in parts, or raise the option requestTimeoutMs.";

/** Fields that name what another window can delete. */
const elsewhere: ReadonlySet<string> = new Set([
  "collection",
  "id",
  "item_id",
  "head",
  "version",
  "label_set",
]);

/** Null: the body as a whole. */
const media: ReadonlySet<string | null> = new Set([null, "image", "audio"]);

/** "67108864 bytes" and "120000 ms" as people write them. */
const readable = (message: string) =>
  message
    .replace(/\.$/, "")
    .replace(/\b(\d{4,}) bytes/g, (_, bytes: string) => sizeText(Number(bytes)))
    .replace(/\b(\d{4,}) (ms|milliseconds)\b/g, (_, ms: string) => `${Number(ms) / 1000} seconds`);
