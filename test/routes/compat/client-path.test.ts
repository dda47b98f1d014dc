import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, createApp } from "../../../src/app.js";
import type { Services } from "../../../src/services.js";
import { fakeApp } from "../../helpers/fake-app.js";
import { fakePack } from "../../helpers/fake-packs.js";
import { jsonPost } from "../../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ services } = await fakeApp([fakePack("tiny", 8)]));
  app = createApp(services); // unchecked: the document has none of these paths
});
const post = async (path: string, body: unknown) =>
  (await app.request(`http://localhost${path}`, jsonPost(body))).status;
afterAll(() => services.close());

describe("a base URL that ends in a slash", () => {
  it.each([
    ["/v1//embeddings", { input: "a cat" }],
    ["/v1/embeddings/", { input: "a cat" }],
    ["//embeddings", { input: "a cat" }],
    ["//embed", { inputs: "a cat" }],
    ["//v2/embed", { texts: ["a cat"] }],
    ["//compat/cohere//v2/embed/", { texts: ["a cat"] }],
    ["//api/embed", { model: "tiny", input: "a cat" }],
  ])("reaches what clients of other products compute: %s", async (path, body) => {
    expect(await post(path, body)).toBe(200);
  });

  // A proxy in front may forbid paths by their beginning
  it.each(["//v1/admin/reload", "/v1//models", "/v1//train", "//v1/collections", "/v1/zero-shot/"])(
    "reaches nothing else: %s",
    async (path) => {
      expect(await post(path, {})).toBe(404);
    },
  );

  it("leaves paths alone that end in a slash by design", async () => {
    expect((await app.request("/encode_text/?input=a%20cat")).status).toBe(200);
    expect(await (await app.request("/compat/immich/")).json()).toEqual({ message: "Immich ML" });
  });
});
