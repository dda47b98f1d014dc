import { signal } from "@preact/signals";
import { server, serverUrl } from "../../server.js";
import type { Shown } from "./feed.js";

export interface Playing {
  id: string;
  isPlaying: boolean;
  atSeconds: number;
  /** Undefined until the browser has read it. */
  durationSeconds?: number;
  /** Why it cannot be played. */
  failure?: string;
}

/** The sound that was started last: one at a time. */
export const playing = signal<Playing>();

const audio = new Audio();
let renew: (() => Promise<string | undefined>) | undefined;

const update = (change: Partial<Playing>) => {
  if (playing.peek() !== undefined) playing.value = { ...playing.peek()!, ...change };
};
audio.addEventListener("play", () => update({ isPlaying: true, failure: undefined }));
audio.addEventListener("pause", () => update({ isPlaying: false }));
audio.addEventListener("timeupdate", () => update({ atSeconds: audio.currentTime }));
audio.addEventListener("durationchange", () => {
  if (Number.isFinite(audio.duration)) update({ durationSeconds: audio.duration });
});
audio.addEventListener("error", () => void tryAgain());

/** The address of an item's kept media. */
export const mediaUrlOf = ({ media_url }: Pick<Shown, "media_url">): string | undefined =>
  media_url === undefined ? undefined : serverUrl + media_url;

/** Plays a sound from where it was, or from a moment; pauses it while it is playing. */
export function playOrPause(collection: string, item: Shown, atSeconds?: number): void {
  if (playing.peek()?.id !== item.id) {
    playing.value = { id: item.id, isPlaying: false, atSeconds: atSeconds ?? 0 };
    audio.src = mediaUrlOf(item)!;
    // A signed address expires after an hour
    renew = async () => mediaUrlOf(await server.peek().getItem(collection, item.id));
  } else if (!audio.paused && atSeconds === undefined) {
    audio.pause();
    return;
  }
  if (atSeconds !== undefined) audio.currentTime = atSeconds;
  void audio.play().catch(() => undefined); // The error event says why
}

export function stopPlaying(): void {
  audio.pause();
  playing.value = undefined;
}

async function tryAgain(): Promise<void> {
  const current = playing.peek();
  const url = await renew?.().catch(() => undefined);
  renew = undefined;
  if (playing.peek()?.id !== current?.id) return;
  if (url === undefined || url === audio.src) {
    const failure = "This browser cannot play this kind of sound; download it to hear it.";
    return update({ isPlaying: false, failure });
  }
  audio.src = url;
  void audio.play().catch(() => undefined);
}
