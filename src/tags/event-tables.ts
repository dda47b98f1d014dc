import { csvLine } from "../files/csv-line.js";
import type { SoundEvent } from "./sound-events.js";

interface EventTable {
  /** Behind the name of the sound's file. */
  ending: string;
  text: (events: readonly SoundEvent[], sound: { soundName: string; nyquistHz: number }) => string;
}

const seconds = (x: number) => x.toFixed(3);
/** A tab or line end in a label would begin another cell or row. */
const cell = (label: string) => label.replace(/[\t\r\n]+/g, " ");

/** Tables of sound events, in the forms that other programs read. */
export const eventTables = {
  /** Raven's selection table: Cornell Lab, Raven Pro User's Manual, "Saving selection tables". */
  raven: {
    ending: "selections.txt",
    text: (events, { nyquistHz }) => {
      const head = [
        ...["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)"],
        ...["Low Freq (Hz)", "High Freq (Hz)", "Label", "Confidence"],
      ];
      const rows = events.map(({ label, startSeconds, endSeconds, score }, i) => [
        ...[i + 1, "Spectrogram 1", 1, seconds(startSeconds), seconds(endSeconds)],
        ...["0.0", nyquistHz.toFixed(1), cell(label), score.toFixed(4)],
      ]);
      return [head, ...rows].map((row) => `${row.join("\t")}\n`).join("");
    },
  },
  /** Audacity's label track: Audacity Manual, "Importing and Exporting Labels". */
  audacity: {
    ending: "labels.txt",
    text: (events) =>
      events
        .map(({ label, startSeconds, endSeconds, score }) => {
          const [start, end] = [startSeconds, endSeconds].map((x) => x.toFixed(6));
          return `${start}\t${end}\t${cell(label)} ${score.toFixed(2)}\n`;
        })
        .join(""),
  },
  csv: {
    ending: "events.csv",
    text: (events, { soundName }) => {
      const head = ["file", "start_seconds", "end_seconds", "label", "score"];
      const rows = events.map(({ label, startSeconds, endSeconds, score }) => [
        ...[soundName, seconds(startSeconds), seconds(endSeconds), label, score.toFixed(4)],
      ]);
      return [head, ...rows].map(csvLine).join("");
    },
  },
} satisfies Record<string, EventTable>;

export type EventTableName = keyof typeof eventTables;
