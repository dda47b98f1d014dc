import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../../src/app.js";
import type { Services } from "../../../src/services.js";
import { ask } from "../../helpers/compat.js";
import { startApp } from "../../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp({ models: ["starter-clip"] }));
});
afterAll(() => services.close());

interface Token {
  id: number;
  text: string;
  special: boolean;
  start: null;
  stop: null;
}

// Source: huggingface/text-embeddings-inference at 0d124dc, router/src/http/types.rs, SimpleToken.
describe("TEI's tokens", () => {
  it("are those of the model, and decode to the text again", async () => {
    const { body } = await ask<Token[][]>(app, "/tokenize", { inputs: ["a sleeping cat", "x"] });
    expect(body).toHaveLength(2);
    const [row] = body;
    const pack = services.packs.find("starter-clip");
    expect(row.map(({ id }) => id)).toEqual(
      (await pack.tokenizer!.tokenize(["a sleeping cat"]))[0],
    );
    for (const token of row)
      expect(token).toEqual({
        id: expect.any(Number),
        text: expect.stringMatching(/./),
        special: expect.any(Boolean),
        start: null,
        stop: null,
      });
    expect(row.filter(({ special }) => special).length).toBeGreaterThan(0);
    const plain = await ask<Token[][]>(app, "/tokenize", {
      inputs: "a sleeping cat",
      add_special_tokens: false,
    });
    expect(plain.body[0]).toEqual(row.filter(({ special }) => !special));
    const ids = row.map(({ id }) => id);
    const decoded = await ask<string[]>(app, "/decode", { ids });
    expect(decoded.body).toHaveLength(1);
    expect(decoded.body[0].trim()).toBe("a sleeping cat");
    const all = await ask<string[]>(app, "/decode", { ids: [ids, []], skip_special_tokens: false });
    expect(all.body[0].length).toBeGreaterThan(decoded.body[0].length);
    expect(all.body[1]).toBe("");
    expect((await ask<string[]>(app, "/decode", { ids: [2 ** 31] })).body).toEqual([""]);
  });

  it("have no vectors of their own here, and TEI's status says so", async () => {
    for (const path of ["/embed_all", "/embed_sparse"]) {
      const { status, body } = await ask(app, path, { inputs: "a cat" });
      expect(status).toBe(424);
      expect(body).toMatchObject({ error_type: "Backend" });
    }
    expect((await ask(app, "/tokenize", { inputs: 3 })).status).toBe(422);
    expect((await ask(app, "/decode", { ids: [-1] })).status).toBe(422);
  });
});
