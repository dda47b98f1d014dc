import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Services } from "../../src/services.js";
import { startApp } from "../helpers/services.js";

const python = ".venv/bin/python";
const checks = readdirSync("test/clients").filter((name) => /^check_\w+\.py$/.test(name));

describe.skipIf(!existsSync(python))(
  "the Python packages as their users have them (.venv: test/clients/install.sh)",
  () => {
    let services: Services;
    let server: ReturnType<typeof serve>;
    let url: string;
    beforeAll(async () => {
      const started = await startApp({ aliases: { "jina-clip-v1": "starter-clip" } });
      services = started.services;
      server = await new Promise((resolve) => {
        const options = { fetch: started.app.fetch, hostname: "127.0.0.1", port: 0 };
        const listening = serve(options, () => resolve(listening));
      });
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(async () => {
      server.close();
      await services.close();
    });

    it.each(checks)("%s", async (name) => {
      const args = ["-m", "pytest", "--quiet", "-p", "no:cacheprovider", `test/clients/${name}`];
      const env = { ...process.env, CROSSMODAL_URL: url };
      const output = await promisify(execFile)(python, args, { env }).then(
        ({ stdout }) => stdout,
        (error: { stdout?: string; message: string }) => error.stdout || error.message,
      );
      expect(output).toMatch(/^\d+ passed(, \d+ warnings?)? in /m);
    });
  },
);
