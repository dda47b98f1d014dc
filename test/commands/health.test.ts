import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { certificates } from "../helpers/certificates.js";
import { type ServedProcess, serve, untilReady } from "../helpers/serve.js";

let server: ServedProcess | undefined;
afterEach(() => {
  server?.child.kill("SIGKILL");
  server = undefined;
});

/** As a container runs it: everything is in the environment. */
function health(environment: Record<string, string>, ...flags: string[]) {
  const args = ["--import", "tsx", "src/cli.ts", "health", ...flags];
  const env = { ...process.env, ...environment };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, args, { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
const portOf = (url: string) => ({ CROSSMODAL_PORT: new URL(url).port });

it("asks the server that the configuration describes, whatever its port", async () => {
  server = await serve();
  const live = await health(portOf(server.url));
  expect(live).toEqual({
    code: 0,
    stdout: `${server.url}/health/live answers {"status":"live"}\n`,
    stderr: "",
  });
  await untilReady(server);
  const everywhere = { ...portOf(server.url), CROSSMODAL_HOST: "0.0.0.0" };
  expect((await health(everywhere, "--ready")).code).toBe(0);
  server.child.kill("SIGTERM");
  await server.ended;
  expect(existsSync(join(server.dataDir, "crossmodal.url"))).toBe(false);
  const gone = await health(portOf(server.url));
  expect(gone.code).toBe(1);
  expect(gone.stderr).toContain(`${server.url}/health/live does not answer: `);
  expect((await health({ CROSSMODAL_PORT: "high" })).code).toBe(1);
}, 60_000);

it("asks where the server listens, whatever has become of its configuration", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-health-"));
  const folder = { CROSSMODAL_DATA_DIR: dataDir };
  const config = join(dataDir, "config.json");
  const changed = (text: string) => {
    writeFileSync(config, text);
    return { ...folder, CROSSMODAL_CONFIG: config };
  };
  writeFileSync(join(dataDir, "crossmodal.url"), "http://127.0.0.1:9\n"); // of one that was killed
  server = await serve([], dataDir);
  const answer = { code: 0, stderr: "", stdout: expect.stringContaining(`${server.url}/health`) };
  expect(await health(folder)).toEqual(answer);
  expect(await health(changed('{"port": 9, "tlsCert": "/new.pem"}'))).toEqual(answer);
  expect(await health(changed('{"port": '))).toEqual(answer);
  expect((await health(folder, "--port", "9")).code).toBe(1);
  // The configuration is all there is where the server could write nothing
  rmSync(join(dataDir, "crossmodal.url"));
  const told = await health(changed('{"port": '));
  expect(told).toMatchObject({ code: 1, stderr: expect.stringContaining("cannot be read") });
}, 60_000);

it("asks a server with HTTPS, whose certificate is for another name than loopback", async () => {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-health-"));
  const files = { tlsCert: join(folder, "cert.pem"), tlsKey: join(folder, "key.pem") };
  writeFileSync(files.tlsCert, certificates[0].cert);
  writeFileSync(files.tlsKey, certificates[0].key);
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify(files));
  server = await serve(["--config", config]);
  expect(server.url).toMatch(/^https:/);
  const environment = { ...portOf(server.url), CROSSMODAL_CONFIG: config };
  expect((await health(environment)).code).toBe(0);
  // A second server says whose the port is, too
  const second = serve(["--config", config, "--port", new URL(server.url).port]);
  await expect(second).rejects.toThrow(/is held by a crossmodal server that answers/);
}, 60_000);
