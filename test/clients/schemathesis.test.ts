import { execFile } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import type { Services } from "../../src/services.js";
import { startApp } from "../helpers/services.js";

const schemathesis = resolve(".venv/bin/schemathesis");

describe.skipIf(!existsSync(schemathesis))(
  "schemathesis against /openapi.json (.venv: test/clients/install.sh)",
  () => {
    let services: Services;
    let server: ReturnType<typeof serve>;
    let url: string;
    beforeAll(async () => {
      const started = await startApp();
      services = started.services;
      server = await new Promise((resolve) => {
        const options = { fetch: started.app.fetch, hostname: "127.0.0.1", port: 0 };
        const listening = serve(options, () => resolve(listening));
      });
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const client = createClient({ url });
      await client.createCollection({ name: "c", model: "starter-clip", fields: ["label"] });
      const items = ["a", "b"].map((id) => ({ id, text: `a photo of ${id}` }));
      await client.addItems("c", items);
    });
    afterAll(async () => {
      server.close();
      await services.close();
    });

    it("finds no answer of 500 and none that the document does not have", async () => {
      const config = ["--config-file", resolve("test/clients/schemathesis.toml")];
      const cwd = mkdtempSync(join(tmpdir(), "crossmodal-schemathesis-")); // for its cache
      const args = [...config, "run", `${url}/openapi.json`, "--no-color"];
      const output = await promisify(execFile)(schemathesis, args, {
        cwd,
        maxBuffer: 2 ** 26,
      }).then(
        ({ stdout }) => stdout,
        (error: { stdout?: string; message: string }) => error.stdout || error.message,
      );
      const failed = /=+ (FAILURES|ERRORS) =+/.exec(output);
      expect(failed && output.slice(failed.index)).toBeNull();
      const tested = /Tested: (\d+)/.exec(output)?.[1];
      const { paths } = (await createClient({ url }).openApi()) as { paths: object };
      const operations = Object.values(paths).flatMap((methods) => Object.keys(methods));
      expect(Number(tested), output).toBe(operations.length);
    }, 600_000);
  },
);
