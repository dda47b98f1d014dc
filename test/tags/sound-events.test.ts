import { describe, expect, it } from "vitest";
import { eventTables } from "../../src/tags/event-tables.js";
import { soundEvents } from "../../src/tags/sound-events.js";

const window = (start: number, end: number, scores: [string, number][], known?: boolean) => ({
  start_seconds: start,
  end_seconds: end,
  scores: scores.map(([label, score]) => ({ label, score })),
  ...(known !== undefined && { known }),
});

describe("soundEvents", () => {
  it("joins adjacent and overlapping windows of the best label, with their highest score", () => {
    const windows = [
      window(0, 10, [
        ["rain", 0.8],
        ["wren", 0.2],
      ]),
      window(5, 15, [
        ["rain", 0.9],
        ["wren", 0.1],
      ]),
      window(15.004, 25, [["rain", 0.6]]),
      window(25, 35, [["wren", 0.7]]),
      window(40, 50, [["rain", 0.5]]),
    ];
    expect(soundEvents(windows)).toEqual([
      { label: "rain", startSeconds: 0, endSeconds: 25, score: 0.9 },
      { label: "wren", startSeconds: 25, endSeconds: 35, score: 0.7 },
      { label: "rain", startSeconds: 40, endSeconds: 50, score: 0.5 },
    ]);
  });

  it("takes every label of a window with multiLabel, and none of one that nothing fits", () => {
    const windows = [
      window(0, 5, [
        ["rain", 0.8],
        ["wren", 0.7],
      ]),
      window(5, 10, [["rain", 0.9]], false),
      window(10, 15, [["wren", 0.6]]),
    ];
    expect(soundEvents(windows, { multiLabel: true })).toEqual([
      { label: "rain", startSeconds: 0, endSeconds: 5, score: 0.8 },
      { label: "wren", startSeconds: 0, endSeconds: 5, score: 0.7 },
      { label: "wren", startSeconds: 10, endSeconds: 15, score: 0.6 },
    ]);
    expect(soundEvents([])).toEqual([]);
  });
});

describe("eventTables", () => {
  const events = [
    { label: "rain,\theavy", startSeconds: 0, endSeconds: 12.5, score: 0.98765 },
    { label: 'a "wren"', startSeconds: 20, endSeconds: 25, score: 0.5 },
  ];
  const about = { soundName: "a/hour.flac", nyquistHz: 24_000 };

  it("are Raven's columns, tab by tab", () => {
    const [head, first, second, end] = eventTables.raven.text(events, about).split("\n");
    expect(head.split("\t").slice(0, 7)).toEqual([
      "Selection",
      "View",
      "Channel",
      "Begin Time (s)",
      "End Time (s)",
      "Low Freq (Hz)",
      "High Freq (Hz)",
    ]);
    expect(first).toBe("1\tSpectrogram 1\t1\t0.000\t12.500\t0.0\t24000.0\train, heavy\t0.9877");
    expect(second.split("\t")).toHaveLength(head.split("\t").length);
    expect(end).toBe("");
  });

  it("are Audacity's label track: start, end and label", () => {
    expect(eventTables.audacity.text(events)).toBe(
      '0.000000\t12.500000\train, heavy 0.99\n20.000000\t25.000000\ta "wren" 0.50\n',
    );
  });

  it("are CSV with what needs quotes in quotes", () => {
    expect(eventTables.csv.text(events, about).split("\n")).toEqual([
      "file,start_seconds,end_seconds,label,score",
      'a/hour.flac,0.000,12.500,"rain,\theavy",0.9877',
      'a/hour.flac,20.000,25.000,"a ""wren""",0.5000',
      "",
    ]);
  });
});
