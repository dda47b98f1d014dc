// slow: models
import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { dataUri, isSame, ownEmbedding } from "../helpers/compat.js";
import { fixtureBase64 } from "../helpers/fixtures.js";
import { startApp } from "../helpers/services.js";

const file = ".clients/node_modules/@langchain/community/dist/embeddings/jina.js";

interface JinaEmbeddings {
  baseUrl: string;
  embedQuery(text: string): Promise<number[]>;
  embedDocuments(documents: (string | { image: string })[]): Promise<number[][]>;
}

describe.skipIf(!existsSync(file))(
  "@langchain/community as its users have it (.clients: test/clients/install.sh)",
  () => {
    let app: App;
    let services: Services;
    let server: ReturnType<typeof serve>;
    let baseUrl: string;
    beforeAll(async () => {
      ({ app, services } = await startApp({ models: ["starter-clip"] }));
      server = await new Promise((resolve) => {
        const options = { fetch: app.fetch, hostname: "127.0.0.1", port: 0 };
        const listening = serve(options, () => resolve(listening));
      });
      baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/embeddings`;
    });
    afterAll(async () => {
      server.close();
      await services.close();
    });

    it("embeds texts and pictures as Jina's", async () => {
      const { JinaEmbeddings } = await import(/* @vite-ignore */ pathToFileURL(file).href);
      const clientOf = (model: string): JinaEmbeddings => {
        const client = new JinaEmbeddings({
          apiKey: "none",
          model,
          dimensions: 384,
          maxRetries: 0,
        });
        return Object.assign(client, { baseUrl }); // it has no option for it
      };
      const client = clientOf("starter-clip");
      const own = await ownEmbedding(app, "a cat");
      expect(isSame(await client.embedQuery("a cat"), own)).toBe(true);
      const cat = dataUri("image/jpeg", fixtureBase64("images/cat.jpg"));
      const [text, picture] = await client.embedDocuments(["a cat", { image: cat }]);
      expect(isSame(text, own)).toBe(true);
      expect(isSame(picture, await ownEmbedding(app, cat))).toBe(true);
      await expect(clientOf("none").embedQuery("a cat")).rejects.toThrow("none");
    });
  },
);
