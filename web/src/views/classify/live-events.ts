import { signal } from "@preact/signals";
import { toast } from "../../components/toasts.js";
import { csvOf, download } from "../../download.js";
import { kept, type LiveEvent } from "./kept-events.js";
import { openFiles } from "./state.js";

/** A label with a higher score is an event. */
export const eventScore = 0.6;
/** The newest first; they stay after the microphone is closed. */
export const liveEvents = signal<readonly LiveEvent[]>([]);

let lastId = 0;
/** Of the event that goes on. */
let goingOn: number | undefined;

/** What was heard in a stretch of time; an event goes on while its label is heard. */
export function hear(
  heard: { label: string; score: number } | undefined,
  { start, end, sound }: Pick<LiveEvent, "start" | "end" | "sound">,
): void {
  if (heard === undefined || heard.score <= eventScore) {
    goingOn = undefined;
    return;
  }
  const { label, score } = heard;
  const [last, ...before] = liveEvents.peek();
  if (last !== undefined && last.id === goingOn && last.label === label) {
    const clearest = score > last.score || isLonger(sound, last.sound) ? { sound } : {};
    liveEvents.value = [
      { ...last, end, score: Math.max(score, last.score), ...clearest },
      ...before,
    ];
    return;
  }
  goingOn = ++lastId;
  const next = { id: goingOn, label, start, end, score, sound };
  liveEvents.value = kept([next, ...liveEvents.peek()]);
}

/** The first request covers less than those that follow. */
const isLonger = (a: Blob | undefined, b: Blob | undefined) => (a?.size ?? 0) > (b?.size ?? 0);

/** The microphone was closed: what it hears next is another event. */
export function endEvent(): void {
  goingOn = undefined;
}

export function clearEvents(): void {
  const gone = liveEvents.peek();
  endEvent();
  liveEvents.value = [];
  toast(gone.length === 1 ? "One event is removed" : `${gone.length} events are removed`, [
    "Undo",
    () => {
      liveEvents.value = kept([...liveEvents.peek(), ...gone].toSorted((a, b) => b.id - a.id));
    },
  ]);
}

export function saveEvents(): void {
  const rows = liveEvents
    .peek()
    .toReversed()
    .map(({ start, end, label, score }) => [
      start.toISOString(),
      end.toISOString(),
      label,
      Number(score.toFixed(4)),
    ]);
  const csv = csvOf([["start", "end", "label", "score"], ...rows]);
  download("events.csv", new Blob([csv], { type: "text/csv" }));
}

export const clockText = (time: Date) => time.toTimeString().slice(0, 8);

/** The sound of an event in place of what is classified. */
export function openEvent({ label, start, sound }: LiveEvent): void {
  const name = `${label} ${clockText(start).replaceAll(":", ".")}.wav`;
  if (sound !== undefined) openFiles([new File([sound], name, { type: "audio/wav" })]);
}
