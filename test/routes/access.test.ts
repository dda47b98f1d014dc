import { afterAll, beforeAll, expect, it } from "vitest";
import { createKey, keyFolder } from "../../src/access/key-file.js";
import { type App, createApp } from "../../src/app.js";
import type { StateFolder } from "../../src/files/state-folder.js";
import type { Services } from "../../src/services.js";
import { checkAnswers } from "../helpers/check-answers.js";
import { fakeApp } from "../helpers/fake-app.js";
import { fakePack } from "../helpers/fake-packs.js";

let app: App;
let services: Services;
let keys: StateFolder;
beforeAll(async () => {
  ({ services } = await fakeApp([fakePack("eye", 4)]));
  keys = keyFolder(services.config.dataDir);
  app = checkAnswers(createApp({ ...services, keys }));
});
afterAll(() => services.close());

const ask = async (key?: string) => {
  const headers = key === undefined ? undefined : { authorization: `Bearer ${key}` };
  const response = await app.request("/v1/access", { headers });
  return { status: response.status, body: await response.json() };
};

it("GET /v1/access tells what a key may do; where none is needed, everything", async () => {
  expect(await ask()).toEqual({
    status: 200,
    body: { key: null, scopes: ["read", "write", "admin"] },
  });
  const expiresAt = new Date(Date.now() + 3_600_000);
  const reader = await createKey(keys, { name: "reading room", scope: "read", expiresAt });
  const writer = await createKey(keys, { name: "ada", scope: "write" });
  expect((await ask()).status).toBe(401);
  expect((await ask(reader)).body).toEqual({
    key: { id: reader.split("_")[1], name: "reading room", expires_at: expiresAt.toISOString() },
    scopes: ["read"],
  });
  expect((await ask(writer)).body).toEqual({
    key: { id: writer.split("_")[1], name: "ada", expires_at: null },
    scopes: ["read", "write"],
  });
});
