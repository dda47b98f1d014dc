import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { fixture, fixtureBase64, fixtureLabels } from "../helpers/fixtures.js";
import { formPost, jsonPost, startApp } from "../helpers/services.js";

interface Answer {
  model: string;
  space: string;
  scores: { label: string; score: number }[];
  timeline?: {
    start_seconds: number;
    end_seconds: number;
    scores: { label: string; score: number }[];
  }[];
}

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp());
});
afterAll(() => services.close());

const zeroShot = (init: RequestInit) => app.request("/v1/zero-shot", init);
const answerOf = async (init: RequestInit) => {
  const response = await zeroShot(init);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as Answer;
};
const errorOf = async (init: RequestInit) => {
  const response = await zeroShot(init);
  const { error } = (await response.json()) as {
    error: { code: string; message: string; param: string | null };
  };
  return { status: response.status, ...error };
};

describe("POST /v1/zero-shot, the starter models on real media", () => {
  const sounds = [...new Set(Object.values(fixtureLabels.audio))];
  const pictures = [...new Set(Object.values(fixtureLabels.images))];

  it.each(Object.entries(fixtureLabels.audio))("hears %s as %s", async (file, label) => {
    const answer = await answerOf(
      formPost({ audio: fixture(`audio/${file}`), candidate_labels: JSON.stringify(sounds) }),
    );
    expect(answer.model).toBe("starter-clap");
    expect(answer.scores[0].label).toBe(label);
  });

  it.each(Object.entries(fixtureLabels.images))("sees %s as %s", async (file, label) => {
    const answer = await answerOf(
      jsonPost({ image: fixtureBase64(`images/${file}`), candidate_labels: pictures }),
    );
    expect(answer.model).toBe("starter-clip");
    expect(answer.scores[0].label).toBe(label);
  });

  it("has at least eight kinds of each", () => {
    expect(sounds.length).toBeGreaterThanOrEqual(8);
    expect(pictures.length).toBeGreaterThanOrEqual(8);
  });
});

describe("POST /v1/zero-shot", () => {
  const cat = fixtureBase64("images/cat.jpg");
  const labels = ["cat", "dog", "rocket"];

  it("gives scores that sum to one, best first, with the model and its space", async () => {
    const response = await zeroShot(jsonPost({ image: cat, candidate_labels: labels }));
    const { scores, space } = (await response.json()) as Answer;
    expect(space).toMatch(/^starter-clip@[0-9a-f]{8}$/);
    expect(scores.map(({ score }) => score)).toEqual(
      scores.map(({ score }) => score).sort((a, b) => b - a),
    );
    expect(scores.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
    expect(response.headers.get("server-timing")).toMatch(
      /decode;dur=.*preprocess;dur=.*inference;dur=/,
    );
  });

  it("takes the same picture as a data URI, base64 or a file, with the same scores", async () => {
    const asUri = await answerOf(
      jsonPost({ image: `data:image/jpeg;base64,${cat}`, candidate_labels: labels }),
    );
    const asText = await answerOf(jsonPost({ image: cat, candidate_labels: labels }));
    const asFile = await answerOf(
      formPost({ image: fixture("images/cat.jpg"), candidate_labels: labels }),
    );
    expect(asText).toEqual(asUri);
    expect(asFile).toEqual(asUri);
  });

  it("refuses comma-separated labels in one form field, which would be one label of score 1", async () => {
    const response = await zeroShot(
      formPost({ image: fixture("images/cat.jpg"), candidate_labels: "cat,dog" }),
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: "invalid_input",
        param: "candidate_labels",
        message: expect.stringContaining('received "cat,dog"'),
      },
    });
  });

  it.each([
    ["a JSON array", '["a cat, asleep"]', ["a cat, asleep"]],
    ["the field given twice", ["a cat, asleep", "dog"], ["a cat, asleep", "dog"]],
    ["one plain label", "cat", ["cat"]],
  ])(
    "takes %s in a form, with commas inside labels where it is clear",
    async (_, candidate_labels, expected) => {
      const { scores } = await answerOf(
        formPost({ image: fixture("images/cat.jpg"), candidate_labels }),
      );
      expect(scores.map(({ label }) => label).sort()).toEqual(expected);
    },
  );

  it("scores a text against labels", async () => {
    const { scores } = await answerOf(
      jsonPost({
        text: "The striker scored twice before half time.",
        candidate_labels: ["cooking", "football", "astronomy"],
      }),
    );
    expect(scores[0].label).toBe("football");
  });

  it("scores each label by itself with multi_label", async () => {
    const scoreOf = async (candidate_labels: string[]) =>
      (await answerOf(jsonPost({ image: cat, candidate_labels, multi_label: true }))).scores.find(
        ({ label }) => label === "cat",
      )!;
    const alone = await scoreOf(["cat"]);
    const among = await scoreOf(["cat", "dog", "kitten"]);
    expect(alone.score).toBeGreaterThan(0.5);
    expect(among.score).toBeCloseTo(alone.score, 6);
  });

  it("keeps the best top_k that reach the threshold", async () => {
    const { scores } = await answerOf(
      formPost({
        image: fixture("images/cat.jpg"),
        candidate_labels: labels,
        top_k: "2",
        threshold: "0.9",
      }),
    );
    expect(scores.length).toBe(1);
  });

  it("averages several hypothesis templates, and takes a set by its name", async () => {
    const one = await answerOf(
      jsonPost({ image: cat, candidate_labels: labels, hypothesis_template: "a drawing of a {}" }),
    );
    const two = await answerOf(
      jsonPost({
        image: cat,
        candidate_labels: labels,
        hypothesis_template: ["a drawing of a {}", "a photo of a {}"],
      }),
    );
    const named = await answerOf(
      jsonPost({ image: cat, candidate_labels: labels, template_set: "clip-7" }),
    );
    expect(new Set([one, two, named].map(({ scores }) => scores[0].score)).size).toBe(3);
  });

  it("cuts a long sound into windows, with scores of each", async () => {
    const { scores, timeline } = await answerOf(
      formPost({
        audio: fixture("audio/scene.opus"),
        candidate_labels: ["rain", "piano", "cow mooing"],
        timeline: "true",
      }),
    );
    expect(timeline!.map(({ start_seconds }) => start_seconds)).toEqual([
      0,
      5,
      10,
      15,
      expect.closeTo(20, 1),
    ]);
    // The sound is a cow, rain and a piano, ten seconds each; the windows between hold two of them.
    const heard = timeline!.map(({ scores: window }) => window[0].label);
    expect([heard[0], heard[2], heard[4]]).toEqual(["cow mooing", "rain", "piano"]);
    const plain = await answerOf(
      formPost({
        audio: fixture("audio/scene.opus"),
        candidate_labels: ["rain", "piano", "cow mooing"],
      }),
    );
    for (const [i, { label, score }] of plain.scores.entries()) {
      expect(scores[i].label).toBe(label);
      expect(scores[i].score).toBeCloseTo(score, 5);
    }
  });

  it("answers the same labels again from the cache, with the same scores", async () => {
    const first = await answerOf(jsonPost({ image: cat, candidate_labels: labels }));
    expect(await answerOf(jsonPost({ image: cat, candidate_labels: labels }))).toEqual(first);
  });

  it("gives a request the same scores among fifty others", async () => {
    const body = jsonPost({
      audio: fixtureBase64("audio/crow.wav"),
      candidate_labels: ["crow cawing", "piano"],
    });
    const alone = await answerOf(body);
    const others = Object.keys(fixtureLabels.audio).flatMap((file) =>
      Array.from({ length: 5 }, () =>
        zeroShot(formPost({ audio: fixture(`audio/${file}`), candidate_labels: ["x", "y"] })),
      ),
    );
    const among = await answerOf(body);
    await Promise.all(others);
    for (const [i, { score }] of alone.scores.entries())
      expect(among.scores[i].score).toBeCloseTo(score, 5);
  });
});

describe("POST /v1/zero-shot, bad input", () => {
  const image = fixtureBase64("images/cat.jpg");
  const audio = fixture("audio/crow.wav");
  const ok = ["cat", "dog"];
  const silence = (samples: number) => {
    const wav = Buffer.alloc(44 + 2 * samples);
    wav.write("RIFF", 0);
    wav.writeUInt32LE(36 + 2 * samples, 4);
    wav.write("WAVEfmt ", 8);
    wav.writeUInt32LE(16, 16);
    wav.writeUInt16LE(1, 20);
    wav.writeUInt16LE(1, 22);
    wav.writeUInt32LE(8000, 24);
    wav.writeUInt32LE(16000, 28);
    wav.writeUInt16LE(2, 32);
    wav.writeUInt16LE(16, 34);
    wav.write("data", 36);
    wav.writeUInt32LE(2 * samples, 40);
    return new Uint8Array(wav);
  };

  const cases: [string, RequestInit, number, string, string | null][] = [
    [
      "an empty body",
      { method: "POST", body: "", headers: { "content-type": "application/json" } },
      400,
      "invalid_input",
      null,
    ],
    [
      "a body that is not JSON",
      { method: "POST", body: "{", headers: { "content-type": "application/json" } },
      400,
      "invalid_input",
      null,
    ],
    [
      "another content type",
      { method: "POST", body: "x", headers: { "content-type": "text/csv" } },
      415,
      "unsupported_media",
      "content-type",
    ],
    [
      "a form cut short",
      {
        method: "POST",
        body: "--x\r\n",
        headers: { "content-type": "multipart/form-data; boundary=x" },
      },
      400,
      "invalid_input",
      null,
    ],
    ["no media", jsonPost({ candidate_labels: ok }), 400, "invalid_input", "image"],
    [
      "two media",
      jsonPost({ image, text: "x", candidate_labels: ok }),
      400,
      "invalid_input",
      "text",
    ],
    [
      "no labels",
      jsonPost({ image, candidate_labels: [] }),
      400,
      "invalid_input",
      "candidate_labels",
    ],
    ["labels left out", jsonPost({ image }), 400, "invalid_input", "candidate_labels"],
    [
      "an empty label",
      jsonPost({ image, candidate_labels: ["cat", " "] }),
      400,
      "invalid_input",
      "candidate_labels[1]",
    ],
    [
      "a duplicate label",
      jsonPost({ image, candidate_labels: ["cat", "dog", "cat"] }),
      400,
      "invalid_input",
      "candidate_labels[2]",
    ],
    [
      "10,000 labels",
      jsonPost({ image, candidate_labels: Array.from({ length: 10_000 }, (_, i) => `label ${i}`) }),
      400,
      "invalid_input",
      "candidate_labels",
    ],
    [
      "a template without {}",
      jsonPost({ image, candidate_labels: ok, hypothesis_template: "a photo" }),
      400,
      "invalid_input",
      "hypothesis_template",
    ],
    [
      "more templates than fit in memory with the labels",
      jsonPost({
        image,
        candidate_labels: Array.from({ length: 1000 }, (_, i) => `label ${i}`),
        hypothesis_template: Array.from({ length: 50_000 }, (_, i) => `${i} {}`),
      }),
      400,
      "invalid_input",
      "hypothesis_template",
    ],
    [
      "an endless template",
      jsonPost({ image, candidate_labels: ok, hypothesis_template: `{}${"x".repeat(10_000)}` }),
      400,
      "invalid_input",
      "hypothesis_template",
    ],
    [
      "an endless label",
      jsonPost({ image, candidate_labels: ["cat", "x".repeat(10_000)] }),
      400,
      "invalid_input",
      "candidate_labels[1]",
    ],
    [
      "an unknown template set",
      jsonPost({ image, candidate_labels: ok, template_set: "best" }),
      400,
      "invalid_input",
      "template_set",
    ],
    [
      "an unknown model",
      jsonPost({ image, candidate_labels: ok, model: "gpt" }),
      404,
      "model_not_found",
      "model",
    ],
    [
      "a model that is deaf",
      formPost({ audio, candidate_labels: ok, model: "starter-clip" }),
      400,
      "invalid_input",
      "model",
    ],
    [
      "an unknown field",
      jsonPost({ image, candidate_labels: ok, labels: ok }),
      400,
      "invalid_input",
      "labels",
    ],
    [
      "a top_k of zero",
      jsonPost({ image, candidate_labels: ok, top_k: 0 }),
      400,
      "invalid_input",
      "top_k",
    ],
    [
      "a threshold of two",
      jsonPost({ image, candidate_labels: ok, threshold: 2 }),
      400,
      "invalid_input",
      "threshold",
    ],
    [
      "a timeline of a picture",
      jsonPost({ image, candidate_labels: ok, timeline: true }),
      400,
      "invalid_input",
      "timeline",
    ],
    [
      "an image that is a file name",
      jsonPost({ image: "cat.jpg", candidate_labels: ok }),
      400,
      "invalid_input",
      "image",
    ],
    [
      "an image by URL where URLs are off",
      jsonPost({ image: "http://127.0.0.1/cat.jpg", candidate_labels: ok }),
      403,
      "url_refused",
      null,
    ],
    [
      "an empty image",
      formPost({ image: new Uint8Array(0), candidate_labels: ok }),
      400,
      "invalid_input",
      "image",
    ],
    [
      "an image cut short",
      formPost({ image: fixture("images/cat.jpg").subarray(0, 5000), candidate_labels: ok }),
      422,
      "undecodable_media",
      "image",
    ],
    [
      "a sound as image",
      formPost({ image: audio, candidate_labels: ok }),
      415,
      "unsupported_media",
      "image",
    ],
    [
      "text as image",
      formPost({ image: new TextEncoder().encode("<svg/>"), candidate_labels: ok }),
      415,
      "unsupported_media",
      "image",
    ],
    [
      "an image of 40,000 x 40,000 pixels",
      formPost({ image: hugePng(), candidate_labels: ok }),
      413,
      "too_large",
      "image",
    ],
    [
      "an empty sound",
      formPost({ audio: new Uint8Array(0), candidate_labels: ok }),
      400,
      "invalid_input",
      "audio",
    ],
    [
      "a sound of no samples",
      formPost({ audio: silence(0), candidate_labels: ok }),
      400,
      "invalid_input",
      "audio",
    ],
    [
      "a FLAC cut in its header",
      formPost({ audio: fixture("audio/sheep.flac").subarray(0, 60), candidate_labels: ok }),
      422,
      "undecodable_media",
      "audio",
    ],
    [
      "a picture as sound",
      formPost({ audio: fixture("images/cat.jpg"), candidate_labels: ok }),
      415,
      "unsupported_media",
      "audio",
    ],
  ];
  it.each(cases)("answers %s with its error and goes on", async (_, init, status, code, param) => {
    const error = await errorOf(init);
    expect(error).toMatchObject({ status, code, param });
    expect(error.message.length).toBeGreaterThan(10);
    expect(error.message).not.toMatch(/undefined|\[object|Invalid input$/);
    const again = await answerOf(formPost({ audio: silence(800), candidate_labels: ok }));
    expect(again.scores.length).toBe(2);
  });

  it("sees a 1x1 picture", async () => {
    const pixel =
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const { scores } = await answerOf(jsonPost({ image: pixel, candidate_labels: ok }));
    expect(scores.every(({ score }) => Number.isFinite(score))).toBe(true);
  });
});

describe("POST /v1/zero-shot, a body over the limit", () => {
  const limited = async () => startApp({ maxBodyBytes: 100_000 });
  const labels = ["cat", "dog"];

  it("is refused as JSON, form and stream of unknown length, and the server goes on", async () => {
    const { app, services } = await limited();
    const big = new Uint8Array(200_000);
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10_000)),
    });
    const bodies: RequestInit[] = [
      jsonPost({ image: Buffer.from(big).toString("base64"), candidate_labels: labels }),
      formPost({ image: big, candidate_labels: labels }),
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: endless,
        duplex: "half",
      } as RequestInit,
    ];
    for (const body of bodies) {
      const response = await app.request("/v1/zero-shot", body);
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({
        error: { code: "too_large", message: expect.stringContaining("maxBodyBytes") },
      });
    }
    const small = formPost({ image: fixture("images/cat.jpg"), candidate_labels: labels });
    expect((await app.request("/v1/zero-shot", small)).status).toBe(200);
    await services.close();
  });
});

/**
 * A PNG whose header says 40,000 x 40,000 pixels, with hardly any data: 4.8 GB if one believed it.
 */
function hugePng(): Uint8Array {
  return new Uint8Array(
    Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAnEAAAJxACAIAAADebplSAAAAC0lEQVR4nGNggAEAAAoAAX+AdF4AAAAASUVORK5CYII=",
      "base64",
    ),
  );
}

describe("POST /v1/zero-shot with reject", () => {
  const image = fixtureBase64("images/cat.jpg");
  const audio = fixtureBase64("audio/dog.mp3");
  type Rejected = Answer & { known: boolean; label: string | null; reject: object };

  it.each([
    [{ image, candidate_labels: ["cat", "teapot"] }, "cat"],
    [{ image, candidate_labels: ["violin", "teapot", "lighthouse"] }, null],
    [{ audio, candidate_labels: ["dog barking", "church bells"] }, "dog barking"],
    [{ audio, candidate_labels: ["violin", "rain"] }, null],
  ])("tells whether any label fits (%#)", async (body, label) => {
    const answer = (await answerOf(jsonPost({ ...body, reject: {} }))) as Rejected;
    expect(answer).toMatchObject({ label, known: label !== null });
    expect(answer.scores).toHaveLength(body.candidate_labels.length);
    expect(answer.reject).toMatchObject({ false_alarm_rate: 0.05, background: 256 });
  });

  it("says it of each window of a sound, and of each label by itself", async () => {
    const body = { audio, candidate_labels: ["dog barking", "violin"], reject: {} };
    const timeline = (await answerOf(jsonPost({ ...body, timeline: true }))) as Rejected;
    expect(timeline.timeline?.[0]).toMatchObject({ known: true, label: "dog barking" });
    const each = (await answerOf(jsonPost({ ...body, multi_label: true }))) as Rejected;
    expect(each.scores).toMatchObject([
      { label: "dog barking", known: true },
      { label: "violin", known: false },
    ]);
  });

  it("takes it as JSON in a form", async () => {
    const form = formPost({
      image: fixture("images/cat.jpg"),
      candidate_labels: '["cat","teapot"]',
      reject: '{"false_alarm_rate": 0.1}',
    });
    expect(await answerOf(form)).toMatchObject({ known: true, reject: { false_alarm_rate: 0.1 } });
  });

  it.each([
    [{ image, reject: { false_alarm_rate: 0.001 } }, /at least 0.0039.*256 background/],
    [{ image, reject: { false_alarm_rate: 0 } }, /false_alarm_rate/],
    [{ image, reject: { rate: 0.1 } }, /rate/],
    [{ text: "a cat", reject: {} }, /pictures and sounds/],
  ])("refuses what it cannot do (%#)", async (body, message) => {
    const error = await errorOf(jsonPost({ ...body, candidate_labels: ["cat", "dog"] }));
    expect(error).toMatchObject({ status: 400, code: "invalid_input" });
    expect(error.message).toMatch(message);
  });
});
