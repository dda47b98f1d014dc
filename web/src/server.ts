import { computed, signal } from "@preact/signals";
import { ApiError, ConnectionError, createClient } from "../../src/client/client.js";

const storageKey = "crossmodal.apiKey";

/** Kept until the tab is closed. */
const apiKey = signal(sessionStorage.getItem(storageKey) ?? undefined);

/** The server asks for a key, or does not accept the one it was given. */
export const needsKey = signal(false);

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
  apiKey.value = key;
  needsKey.value = false;
}

/** Requests sent while the page is closing are completed. */
let isLeaving = false;
addEventListener("pagehide", () => {
  isLeaving = true;
});
addEventListener("pageshow", () => {
  isLeaving = false;
});

async function watchedFetch(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, isLeaving ? { ...init, keepalive: true } : init);
  if (response.status === 401) {
    // Without keys, a 401 means that this page was opened under a name that is not the server's.
    const body = (await response.clone().json()) as { error?: { param?: string } };
    if (body.error?.param === "authorization") needsKey.value = true;
  }
  return response;
}

/** What happened, in a sentence for the user. */
export function sentenceOf(error: unknown): string {
  if (error instanceof ConnectionError || error instanceof TypeError)
    return "The server does not answer. Start it again; nothing that was stored is lost.";
  if (error instanceof ApiError && error.code === "overloaded")
    return "The server is overloaded. Try again in a moment.";
  if (error instanceof ApiError && error.code === "not_found" && error.param === "collection")
    return `${error.message}: it may have been deleted in another window.`;
  if (error instanceof ApiError && error.code === "too_large")
    return `${error.message}. Make the file smaller or shorter, or start the server with more.`;
  return error instanceof Error ? error.message : String(error);
}
