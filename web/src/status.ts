import { signal } from "@preact/signals";
import { ApiError, ConnectionError } from "../../src/client/client.js";
import { pause } from "../../src/client/retry.js";
import type { ModelAnswer } from "../../src/wire/models.js";
import { UnreadableFile } from "./files.js";
import { lostRequests, needsKey, returns, sentenceOf, server } from "./server.js";

export interface ServerStatus {
  state: "connecting" | "ready" | "starting" | "unreachable";
  /** What is wrong; empty if nothing is. */
  why: string;
  models: readonly ModelAnswer[];
}

export const status = signal<ServerStatus>({ state: "connecting", why: "", models: [] });

const readyIntervalMs = 15_000;
const waitingIntervalMs = 1_500;

let timer: ReturnType<typeof setTimeout> | undefined;
let wasLost = false;

/** Asks for the server's state, repeatedly while the page is visible. */
export async function askStatus(): Promise<void> {
  clearTimeout(timer);
  try {
    const client = server.peek();
    const [ready, models] = await Promise.all([client.ready(), client.listModels()]);
    const isReady = ready.status === "ready" || ready.status === "degraded";
    const { reasons = [], cannot_write = "", cannot_audit = "" } = ready;
    const why = [...reasons, cannot_write, cannot_audit].filter(Boolean).join("; ");
    status.value = { state: isReady ? "ready" : "starting", why, models: models.data };
  } catch (error) {
    if (needsKey.value) return;
    status.value = { ...status.peek(), state: "unreachable", why: sentenceOf(error) };
  }
  const { state } = status.peek();
  if (state === "unreachable") wasLost = true;
  else if (state === "ready" && wasLost) {
    wasLost = false;
    returns.value++;
  }
  const interval = state === "ready" ? readyIntervalMs : waitingIntervalMs;
  timer = setTimeout(() => document.visibilityState === "visible" && askStatus(), interval);
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void askStatus();
});
// A key was entered.
server.subscribe(() => void askStatus());
// A server on this machine answers all the same.
for (const change of ["online", "offline"]) addEventListener(change, () => void askStatus());

// A request that got no answer: is the server gone?
let isAsking = false;
lostRequests.subscribe(() => {
  if (isAsking || status.peek().state !== "ready") return;
  isAsking = true;
  void askStatus().finally(() => {
    isAsking = false;
  });
});

/** @throws the signal's reason. */
async function until(isSo: () => boolean, signal: AbortSignal | undefined): Promise<void> {
  while (!isSo()) await pause(waitingIntervalMs / 3, signal);
}

const maxTries = 3;

/**
 * Sends what may be sent twice until the server has answered: waits while it is away, or asks for
 * another key, and gives up only where the request gets no answer from a server that answers
 * others.
 */
export async function persistently<T>(
  send: () => Promise<T>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ApiError && error.status === 401 && needsKey.peek()) {
        await until(() => !needsKey.peek(), signal);
        tries = 0;
        continue;
      }
      if (!(error instanceof ConnectionError) || error.cause instanceof UnreadableFile) throw error;
      await askStatus();
      if (status.peek().state === "unreachable") tries = 0;
      else if (tries >= maxTries) throw error;
      await until(() => status.peek().state === "ready", signal);
    }
  }
}

/** "2 models on CPU" */
export function modelsSentence(models: readonly ModelAnswer[]): string {
  const providers = new Set(models.flatMap(({ towers }) => towers.map(({ provider }) => provider)));
  const names = [...providers].map((name) => name.replace(/ExecutionProvider$/, "").toUpperCase());
  const count = models.length === 1 ? "1 model" : `${models.length} models`;
  return names.length === 0 ? count : `${count} on ${names.join(", ")}`;
}
