import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import { seededRandom } from "../../src/math/random.js";
import { normalize } from "../../src/math/vector.js";
import type { Services } from "../../src/services.js";
import type { CalibrationAnswer, CalibrationResult } from "../../src/wire/calibrations.js";
import type { ZeroShotAnswer } from "../../src/wire/zero-shot.js";
import { fixtureBase64 } from "../helpers/fixtures.js";
import { runJob } from "../helpers/jobs.js";
import { jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp());
  await fillCollection();
});
afterAll(() => services.close());

const labels = [
  "cat",
  "teapot",
  "violin",
  "castle",
  "tree",
  "car",
  "boat",
  "horse",
  "clock",
  "egg",
];
const post = (path: string, body: unknown) => app.request(path, jsonPost(body));

/** Vectors around the labels' texts, as stored pictures. */
async function fillCollection(): Promise<void> {
  await post("/v1/collections", { name: "things", model: "starter-clip" });
  const input = labels.map((label) => `a photo of a ${label}.`);
  const answer = await post("/v1/embeddings", { model: "starter-clip", modality: "text", input });
  const { data } = (await answer.json()) as { data: { embedding: number[] }[] };
  const random = seededRandom(1);
  const items = Array.from({ length: 120 }, (_, i) => ({
    id: `item-${i}`,
    modality: "image",
    metadata: { label: labels[i % labels.length] },
    embedding: [
      ...normalize(data[i % labels.length].embedding.map((x) => x + 0.05 * random.normal())),
    ],
  }));
  const added = await post("/v1/collections/things/items", { items });
  expect(added.status, await added.clone().text()).toBe(200);
}

async function calibrate(body: object): Promise<CalibrationResult> {
  const ended = await runJob(app, "/v1/calibrations", { collection: "things", ...body });
  expect(ended).toMatchObject({ state: "succeeded" });
  return ended.result as CalibrationResult;
}

async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, ...error };
}

describe("/v1/calibrations", () => {
  it("makes versions, of which the newest answers until another is activated", async () => {
    const first = await calibrate({ name: "mine", by: "label" });
    expect(first).toMatchObject({ version: 1, activated: true, items: 120, background: 120 });
    expect(first).toMatchObject({ probabilities: true, labels: [...labels].sort() });
    expect(first.report?.false_alarms.map(({ asked }) => asked)).toEqual([0.01, 0.05, 0.1]);
    const second = await calibrate({ name: "mine", activate: false });
    expect(second).toMatchObject({ version: 2, activated: false, probabilities: false });
    expect(second.report).toBeNull();

    const shown = (await (await app.request("/v1/calibrations/mine")).json()) as CalibrationAnswer;
    expect(shown).toMatchObject({ version: 1, versions: [{ active: true }, { active: false }] });
    const activated = await post("/v1/calibrations/mine/activate", { version: 2 });
    expect(await activated.json()).toMatchObject({ version: 2 });
    const missing = await errorOf(await post("/v1/calibrations/mine/activate", { version: 9 }));
    expect(missing).toMatchObject({ status: 404, code: "not_found" });
    await post("/v1/calibrations/mine/activate", { version: 1 });
  });

  it("is what an answer was made with: its background, its probabilities", async () => {
    const body = { image: fixtureBase64("images/cat.jpg"), candidate_labels: ["cat", "teapot"] };
    const rejected = await post("/v1/zero-shot", { ...body, reject: {}, calibration: "mine" });
    expect(await rejected.json()).toMatchObject({
      calibration: { name: "mine", version: 1 },
      known: true,
      label: "cat",
      reject: { background: 96 }, // 24 of the 120 are cats and teapots
    });
    const scored = await post("/v1/zero-shot", { ...body, multi_label: true, calibration: "mine" });
    const { scores } = (await scored.json()) as ZeroShotAnswer;
    expect(scores[0].label).toBe("cat");
    expect(scores[0].score).toBeGreaterThan(scores[1].score);
  });

  it.each([
    [{ calibration: "mine" }, 400, /for "reject" and for "multi_label"/],
    [{ calibration: "nobody", reject: {} }, 404, /no calibration "nobody"/],
    [{ calibration: "mine", reject: { false_alarm_rate: 0.001 } }, 400, /at least 0.0083/],
  ])("says what it cannot do (%#)", async (more, status, message) => {
    const body = { image: fixtureBase64("images/cat.jpg"), candidate_labels: ["cat"], ...more };
    const error = await errorOf(await post("/v1/zero-shot", body));
    expect(error.status).toBe(status);
    expect(error.message).toMatch(message);
  });

  it("answers for a label set that names it; thresholds of another version are not used", async () => {
    const offered = ["cat", "teapot"];
    const set = {
      labels: offered.map((label) => ({ label, threshold: 0.999999 })),
      multi_label: true,
      model: "starter-clip",
      calibration: "mine",
    };
    const put = await app.request("/v1/label-sets/things", { ...jsonPost(set), method: "PUT" });
    expect(await put.json()).toMatchObject({
      calibration: "mine",
      thresholds_of: { calibration: { name: "mine", version: 1 } },
    });
    const image = fixtureBase64("images/cat.jpg");
    const ask = async (more: object) =>
      (await (await post("/v1/zero-shot", more)).json()) as ZeroShotAnswer;
    const bySet = await ask({ image, label_set: "things" });
    expect(bySet).toMatchObject({ calibration: { name: "mine", version: 1 } });
    expect(bySet.warnings).toBeUndefined();

    // A curve of other labels gives other probabilities.
    const { version } = await calibrate({ name: "mine", by: "label" });
    const changed = await ask({ image, label_set: "things" });
    const own = { image, candidate_labels: offered, multi_label: true, calibration: "mine" };
    expect(changed.scores).toEqual((await ask(own)).scores);
    expect(changed.warnings).toEqual([
      expect.stringMatching(
        `calibration "mine", version 1.*calibration "mine", version ${version}`,
      ),
    ]);
    await post("/v1/calibrations/mine/activate", { version: 1 });

    // In another space neither is used, and the answer says so.
    const sound = { audio: fixtureBase64("audio/dog.mp3"), model: "starter-clap" };
    const elsewhere = await ask({ ...sound, label_set: "things" });
    expect(elsewhere.calibration).toBeUndefined();
    expect(elsewhere.scores).toHaveLength(2);
    expect(elsewhere.warnings).toHaveLength(2);
    expect(elsewhere.warnings![0]).toContain('The calibration "mine" of the label set "things"');
  });

  it("is refused for sounds, and in another space", async () => {
    const audio = { audio: fixtureBase64("audio/dog.mp3"), candidate_labels: ["dog"] };
    const other = await errorOf(
      await post("/v1/zero-shot", { ...audio, calibration: "mine", reject: {} }),
    );
    expect(other).toMatchObject({ status: 409, code: "space_mismatch" });
    expect(other.message).toMatch(/create it again/);
  });

  it.each([
    [{ collection: "nothing" }, 404],
    [{ collection: "things", by: "colour" }, 400],
    [{ collection: "things", colour: 1 }, 400],
    [{ collection: "things", name: "../up" }, 400],
  ])("refuses what it cannot be made of (%#)", async (body, status) => {
    const response = await post("/v1/calibrations", { name: "other", ...body });
    expect(response.status, await response.text()).toBe(status);
  });

  it("is deleted with its versions", async () => {
    await calibrate({ name: "short" });
    expect((await app.request("/v1/calibrations/short", { method: "DELETE" })).status).toBe(200);
    expect((await app.request("/v1/calibrations/short")).status).toBe(404);
  });
});
