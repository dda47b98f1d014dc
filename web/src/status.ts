import { signal } from "@preact/signals";
import type { ModelAnswer } from "../../src/wire/models.js";
import { needsKey, sentenceOf, server } from "./server.js";

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

/** Asks for the server's state, repeatedly while the page is visible. */
export async function askStatus(): Promise<void> {
  clearTimeout(timer);
  try {
    const client = server.peek();
    const [ready, models] = await Promise.all([client.ready(), client.listModels()]);
    const isReady = ready.status === "ready" || ready.status === "degraded";
    const why = [...(ready.reasons ?? []), ready.cannot_write ?? ""].filter(Boolean).join("; ");
    status.value = { state: isReady ? "ready" : "starting", why, models: models.data };
  } catch (error) {
    if (needsKey.value) return;
    status.value = { ...status.peek(), state: "unreachable", why: sentenceOf(error) };
  }
  const interval = status.peek().state === "ready" ? readyIntervalMs : waitingIntervalMs;
  timer = setTimeout(() => document.visibilityState === "visible" && askStatus(), interval);
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void askStatus();
});
// A key was entered.
server.subscribe(() => void askStatus());

/** "2 models on CPU" */
export function modelsSentence(models: readonly ModelAnswer[]): string {
  const providers = new Set(models.flatMap(({ towers }) => towers.map(({ provider }) => provider)));
  const names = [...providers].map((name) => name.replace(/ExecutionProvider$/, "").toUpperCase());
  const count = models.length === 1 ? "1 model" : `${models.length} models`;
  return names.length === 0 ? count : `${count} on ${names.join(", ")}`;
}
