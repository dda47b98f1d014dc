import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { type RunningServer, startServer } from "../../src/server.js";

export const firstKey = "first-secret";

/** A server, and the config file that it reads again. */
export async function startReloading(options: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-reload-"));
  const file = join(folder, "options.json");
  const dataDir = join(folder, "data");
  /** The options are those of the start, with these changes. */
  const write = (changes: object = {}) => {
    const own = { dataDir, port: 0, device: "cpu", models: ["starter-clip"], apiKeys: [firstKey] };
    writeFileSync(file, JSON.stringify({ ...own, ...options, ...changes }));
  };
  const read = () => loadConfig({ environment: {}, file });
  write();
  const server: RunningServer = await startServer(read(), createLog("silent"), read);
  await server.ready;

  const ask = (path: string, { body, key = firstKey, method }: Asked = {}) =>
    fetch(`${server.url}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
  const askJson = async (path: string, asked?: Asked): Promise<any> =>
    (await ask(path, asked)).json();
  const reload = async (key = firstKey) => {
    const response = await ask("/v1/admin/reload", { key, body: {} });
    return { status: response.status, body: (await response.json()) as never };
  };
  /** Waits for the end of a job. */
  const ended = async (id: string) => {
    await (await ask(`/v1/jobs/${id}/events`)).text();
    return askJson(`/v1/jobs/${id}`);
  };
  return { server, dataDir, write, read, ask, askJson, reload, ended };
}

interface Asked {
  body?: unknown;
  key?: string;
  method?: string;
}

/** Serves a picture by HTTP; holds its answers back between `hold` and `release`. */
export async function pictureServer() {
  let gate = Promise.resolve();
  let release = () => {};
  let asked = 0;
  const server = createServer(async (_, response) => {
    asked++;
    await gate;
    response.end(readFileSync("fixtures/images/horse.png"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/horse.png`,
    asked: () => asked,
    hold() {
      gate = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
