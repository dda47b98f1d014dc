import { describe, expect, it } from "vitest";
import { csvOf } from "../../web/src/download.js";
import { modalityOf, similarityText, timeText } from "../../web/src/media.js";
import { laneOf, stretchesOf, ticksOf, windowAt } from "../../web/src/sound/lanes.js";
import { wavOf } from "../../web/src/sound/wav.js";
import { withoutArticle } from "../../web/src/views/classify/everyday-words.js";
import { kept, maxEvents, maxSounds } from "../../web/src/views/classify/kept-events.js";
import { apartText, movingText, ticksOf as roundTicks } from "../../web/src/views/gap/words.js";
import { groupsOf } from "../../web/src/views/map/groups.js";
import {
  anyOf,
  conditionInWords,
  conditionsOf,
  filterOf,
  valuesIn,
} from "../../web/src/views/search/conditions.js";
import { layRows } from "../../web/src/views/search/rows.js";
import {
  parseMetrics,
  quantileBound,
  timesByRoute,
} from "../../web/src/views/system/prometheus.js";
import {
  crossValidate,
  predict,
  signTest,
  wilsonInterval,
} from "../../web/src/views/teach/cross-validation.js";
import { findSuspects } from "../../web/src/views/teach/suspects.js";

const window = (start: number, end: number, score: number) => ({
  start_seconds: start,
  end_seconds: end,
  scores: [{ label: "rain", score }],
});

describe("lanes", () => {
  const windows = [window(0, 10, 0.1), window(5, 15, 0.2), window(10, 20, 0.3)];

  it("let each window speak from the middle between its centre and its neighbours'", () => {
    expect(stretchesOf(windows)).toEqual([
      { start: 0, end: 7.5 },
      { start: 7.5, end: 12.5 },
      { start: 12.5, end: 20 },
    ]);
    expect(stretchesOf([window(0, 3, 1)])).toEqual([{ start: 0, end: 3 }]);
  });

  it("find the window of a moment, the last one after the end", () => {
    const starts = [0, 7.4, 7.5, 19, 25].map((at) => windowAt(windows, at).start_seconds);
    expect(starts).toEqual([0, 0, 5, 10, 10]);
  });

  it("hold nothing of a label that was not asked about", () => {
    expect(laneOf(windows, "rain").map(({ score }) => score)).toEqual([0.1, 0.2, 0.3]);
    expect(laneOf(windows, "new").map(({ score }) => score)).toEqual([0, 0, 0]);
  });

  it("have a few marks at round seconds for any length", () => {
    expect(ticksOf(30)).toEqual([5, 10, 15, 20, 25]);
    for (const seconds of [0.05, 1, 59, 61, 600, 4 * 3600])
      expect(ticksOf(seconds).length).toBeLessThanOrEqual(7);
  });
});

describe("timesByRoute", () => {
  const text = [
    "# HELP crossmodal_request_seconds Time",
    'crossmodal_request_seconds_bucket{le="0.1",route="/a",method="GET",status="200"} 98',
    'crossmodal_request_seconds_bucket{le="1",route="/a",method="GET",status="200"} 98',
    'crossmodal_request_seconds_bucket{le="+Inf",route="/a",method="GET",status="200"} 98',
    'crossmodal_request_seconds_count{route="/a",method="GET",status="200"} 98',
    'crossmodal_request_seconds_bucket{le="0.1",route="/a",method="GET",status="429"} 0',
    'crossmodal_request_seconds_bucket{le="1",route="/a",method="GET",status="429"} 2',
    'crossmodal_request_seconds_bucket{le="+Inf",route="/a",method="GET",status="429"} 2',
    'crossmodal_request_seconds_count{route="/a",method="GET",status="429"} 2',
  ].join("\n");

  it("adds the statuses of a route: half within 0.1 s, 99 of 100 within 1 s", () => {
    expect(timesByRoute(parseMetrics(text))).toEqual([
      { route: "GET /a", count: 100, failed: 2, halfWithin: 0.1, mostWithin: 1 },
    ]);
  });

  it("says no bound for what took longer than all of them", () => {
    const buckets = new Map([
      [1, 1],
      [Number.POSITIVE_INFINITY, 2],
    ]);
    expect(quantileBound(buckets, 0.99)).toBe(Number.POSITIVE_INFINITY);
  });

  it("reads labels with quotes, braces and line ends in them", () => {
    const [{ labels }] = parseMetrics('items{collection="a \\"b\\" {c}\\n,d=\\\\"} 3');
    expect(labels).toEqual({ collection: 'a "b" {c}\n,d=\\' });
  });
});

describe("csvOf", () => {
  it("quotes what has commas, quotes or line ends, and lets no cell be a formula", () => {
    const rows = [["a,b", 'say "x"', "1\n2", "=HYPERLINK(1)", -0.5]];
    expect(csvOf(rows)).toBe('"a,b","say ""x""","1\n2",\'=HYPERLINK(1),-0.5\n');
  });
});

describe("layRows", () => {
  it("puts a row of its own before the first item that is not about the query", () => {
    // 5 above in rows of 3 and 2, the line, 4 below in rows of 3 and 1
    const rows = layRows(9, 3, 5);
    const all = Array.from({ length: rows.count }, (_, row) => rows.itemsOf(row));
    expect(all).toEqual([
      [0, 3],
      [3, 5],
      [5, 5],
      [5, 8],
      [8, 9],
    ]);
    expect(rows.cutRow).toBe(2);
    expect([0, 4, 5, 8].map(rows.rowOf)).toEqual([0, 1, 3, 4]);
  });

  it("goes up and down over the line, and to the last of a shorter row", () => {
    const { step } = layRows(9, 3, 5);
    expect(step(2, "down")).toBe(4);
    expect(step(4, "down")).toBe(6);
    expect(step(6, "up")).toBe(4);
    expect([step(8, "down"), step(1, "up"), step(8, "right"), step(0, "left")]).toEqual([
      8, 1, 8, 0,
    ]);
  });

  it("has no line where all are about it, and one at the top where none is", () => {
    expect(layRows(4, 3, undefined)).toMatchObject({ count: 2, cutRow: undefined });
    expect(layRows(4, 3, 0)).toMatchObject({ count: 3, cutRow: 0 });
  });
});

describe("conditions", () => {
  it("are read from a filter and written as one", () => {
    const year = { field: "year", op: "gte", value: 2020 } as const;
    const tags = anyOf("tags", ["a", "b"], true);
    expect(conditionsOf(filterOf([year]))).toEqual([year]);
    expect(conditionsOf(filterOf([year, tags]))).toEqual([year, tags]);
    expect([conditionsOf(undefined), filterOf([])]).toEqual([[], undefined]);
    expect(conditionsOf("{")).toBeUndefined();
    expect(valuesIn(tags)).toEqual({ field: "tags", values: ["a", "b"] });
  });

  it("are told in words, those of other programs as they are", () => {
    const other = { not: { field: "a", op: "exists", value: true } } as const;
    expect(conditionInWords(anyOf("kind", ["bird", null], false))).toBe("kind: bird or null");
    expect(conditionInWords({ field: "year", op: "lte", value: 3 })).toBe("year up to 3");
    expect(conditionInWords(other)).toBe(JSON.stringify(other));
  });
});

describe("media", () => {
  it("are told by their names, and by their types where the name says nothing", () => {
    const file = (name: string, type = "") => modalityOf({ name, type });
    expect(file("A.JPG")).toBe("image");
    expect(file("call.amr")).toBe("audio");
    expect(file("photo", "image/png")).toBe("image");
    expect(file("clip.mp4", "video/mp4")).toBeUndefined();
    expect(file("Thumbs.db")).toBeUndefined();
  });

  it("have lengths as people write them", () => {
    expect([0.5, 59.96, 61, 3599, 14_399].map(timeText)).toEqual([
      "0.5 s",
      "60.0 s",
      "1:01",
      "59:59",
      "3:59:59",
    ]);
  });

  it("are recorded as WAV: a header of 44 bytes, full scale at 32,767", async () => {
    const bytes = await wavOf(Float32Array.of(0, 1, -1, 2), 8000).arrayBuffer();
    const view = new DataView(bytes);
    expect(bytes.byteLength).toBe(52);
    expect(view.getUint32(24, true)).toBe(8000);
    expect([44, 46, 48, 50].map((at) => view.getInt16(at, true))).toEqual([
      0, 32_767, -32_767, 32_767,
    ]);
  });
});

describe("crossValidate", () => {
  const unit = (degrees: number) => {
    const angle = (degrees * Math.PI) / 180;
    return Float32Array.of(Math.cos(angle), Math.sin(angle));
  };

  it("predicts what the others show, wrongly what lies among another class", () => {
    const embeddings = [0, 2, 4, 6, 8, 10, 90, 94, 98, 102, 5].map(unit);
    const labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
    const predicted = crossValidate({ embeddings, labels, classes: 2 });
    expect(predicted.map((one) => one?.label)).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0]);
  });

  it("says nothing of the only example of its class", () => {
    const embeddings = [0, 5, 90, 95, 200].map(unit);
    const predicted = crossValidate({ embeddings, labels: [0, 0, 1, 1, 2], classes: 3 });
    expect(predicted.map((one) => one?.label)).toEqual([0, 0, 1, 1, undefined]);
  });

  it("takes ten folds of many examples, and each is predicted once", () => {
    const embeddings = Array.from({ length: 60 }, (_, i) => unit((i % 2) * 90 + (i % 7)));
    const labels = embeddings.map((_, i) => i % 2);
    const predicted = crossValidate({ embeddings, labels, classes: 2 });
    expect(predicted.map((one) => one?.label)).toEqual(labels);
  });
});

describe("findSuspects", () => {
  const unit = (degrees: number) => {
    const angle = (degrees * Math.PI) / 180;
    return Float32Array.of(Math.cos(angle), Math.sin(angle));
  };

  it("names what the others call otherwise, and twins of another label", () => {
    const degrees = [0, 2, 4, 6, 8, 10, 12, 14, 90, 94, 98, 102, 5.9];
    const embeddings = degrees.map(unit);
    const labels = degrees.map((_, i) => (i < 8 ? 0 : 1));
    const given = { embeddings, labels, classes: 2 };
    const predictions = labels.map((label, i) => ({
      label: i === 9 ? 0 : label,
      probability: i === 9 ? 0.95 : 0.9,
    }));
    const { suspects } = findSuspects(given, predictions);
    expect(suspects).toContainEqual({ at: 9, kind: "predicted", label: 0, probability: 0.95 });
    const twins = suspects.filter(({ kind }) => kind === "twin");
    expect(twins.length).toBeGreaterThan(0);
    for (const suspect of twins)
      expect([suspect.at, "twin" in suspect && suspect.twin]).toContain(12);
  });
});

describe("predict", () => {
  it("says how far the likeliest class is ahead: least between the two", () => {
    const at = (x: number, y: number) =>
      Float32Array.of(x / Math.hypot(x, y), y / Math.hypot(x, y));
    const embeddings = [at(1, 0), at(1, 0.1), at(0, 1), at(0.1, 1)];
    const given = { embeddings, labels: [0, 0, 1, 1], classes: 2 };
    const [left, between, right] = predict(given, [at(1, 0.05), at(1, 1), at(0.05, 1)]);
    expect([left.label, right.label]).toEqual([0, 1]);
    expect(between.margin).toBeLessThan(Math.min(left.margin, right.margin) / 10);
  });
});

it("writes similarities to three places, and no zero with a sign", () => {
  expect([0.2964, -0.0312, -0.0004, 0].map(similarityText)).toEqual([
    "0.296",
    "-0.031",
    "0.000",
    "0.000",
  ]);
});

it("takes a dog and a Dog for the same label, but not an apple and a pineapple", () => {
  const labels = ["a dog", "The dog", " dog ", "an apple", "anvil", "theatre"];
  expect(labels.map(withoutArticle)).toEqual(["dog", "dog", "dog", "apple", "anvil", "theatre"]);
});

describe("signTest", () => {
  it("is twice the tail of a fair coin, also of a long series", () => {
    // Python's math.comb in exact integers
    expect(signTest(5, 0)).toBeCloseTo(0.0625, 12);
    expect(signTest(3, 9)).toBeCloseTo(0.14599609375, 12);
    expect(signTest(930, 1070)).toBeCloseTo(0.0018755785845971753, 10);
    expect([signTest(0, 0), signTest(1, 1)]).toEqual([1, 1]);
  });
});

describe("wilsonInterval", () => {
  it("of 10 right in 10 is 0.722 to 1, of none in 10 is 0 to 0.278", () => {
    // statsmodels 0.14, proportion_confint(10, 10, method="wilson")
    expect(wilsonInterval(10, 10)[0]).toBeCloseTo(0.722467, 5);
    expect(wilsonInterval(10, 10)[1]).toBeCloseTo(1, 12);
    expect(wilsonInterval(0, 10)[1]).toBeCloseTo(0.277533, 5);
  });
});

describe("groupsOf", () => {
  const told = ({ groups }: ReturnType<typeof groupsOf>) =>
    groups.map(({ label, count }) => `${label} ${count}`);

  it("gives frequent values a colour each, the others grey, and leaves out what is not there", () => {
    const values = Array.from({ length: 9 }, (_, i) => ({ value: `v${i}`, count: 2 }));
    const points = [...values.flatMap((_, i) => [i, i]), 9, null];
    const answer = groupsOf({ field: "f", kind: "categories", values, distinct: 12, points });
    expect(told(answer).slice(-3)).toEqual(["v8 2", "rarer values 1", "without f 1"]);
    expect(answer.coloured).toBe(8);
    expect(new Set(answer.groups.slice(0, 8).map(({ colour }) => colour)).size).toBe(8);
    expect([...answer.groupOf].slice(-4)).toEqual([8, 8, 9, 10]);
  });

  it("puts numbers into ranges of round width that far ones do not stretch", () => {
    const points = Array.from({ length: 1000 }, (_, i) => i / 10);
    const answer = groupsOf({ field: "f", kind: "numbers", points: [...points, 1e6, null] });
    expect(told(answer)).toEqual([
      "0 – 20 200",
      "20 – 40 200",
      "40 – 60 200",
      "60 – 80 200",
      "80 and above 201",
      "without f 1",
    ]);
    const years = points.map((_, i) => 2015 + (i % 6));
    expect(told(groupsOf({ field: "year", kind: "numbers", points: years }))[1]).toBe("2016 167");
  });
});

describe("the words of Gap", () => {
  const names = {
    a: "pictures",
    b: "texts",
    a_to_b: "pictures → texts",
    b_to_a: "texts → pictures",
  };
  const at = (delta: number, there: number, back: number) => ({
    delta,
    distance: 0.5 - delta,
    a_to_b_at_1: there,
    b_to_a_at_1: back,
  });

  it("say what moving does to finding partners, as this report has it", () => {
    const curve = [at(-0.5, 0.1, 0.2), at(0, 0.5, 0.6), at(0.5, 0.625, 0.6)];
    expect(movingText(curve, names)).toBe(
      "At best, moving finds pictures → texts 62.5\u00a0% at 0.5 instead of 50.0\u00a0%.",
    );
    expect(movingText(curve.slice(0, 2), names)).toMatch(/^Moving finds no more partners/);
  });

  it("call a distance a distance, and count in round steps", () => {
    expect(apartText(0.514)).toBe("0.514 apart");
    expect(apartText(-0.474)).toBe("0.474 apart, past each other");
    expect(roundTicks(-0.19, 0.67)).toEqual([0, 0.2, 0.4, 0.6]);
    expect(roundTicks(0.2, 0.5)).toEqual([0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]);
    expect(roundTicks(0.3, 0.3)).toEqual([0.3]);
  });
});

it("keeps the newest of the events that the microphone heard, and fewer sounds than events", () => {
  const [start, end, sound] = [new Date(0), new Date(3000), new Blob(["WAV"])];
  const events = Array.from({ length: maxEvents + maxSounds }, (_, id) => {
    return { id, label: "rain", start, end, score: 1, sound };
  });
  const left = kept(events);
  expect(left.map(({ id }) => id)).toEqual(Array.from({ length: maxEvents }, (_, id) => id));
  expect(left.filter((event) => event.sound !== undefined)).toEqual(events.slice(0, maxSounds));
});
