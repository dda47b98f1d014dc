import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runMain } from "../helpers/run-main.js";

let requests = 0;
const full = { code: "overloaded", message: "Full", param: null, type: "rate_limit_error" };
/** Has no room the first time; then it asks for more time than a command waits. */
const server = createServer((_, response) => {
  requests++;
  if (requests === 2) return response.end('{"data": []}');
  response.writeHead(429, { "retry-after": requests === 1 ? "0" : "3600" });
  response.end(JSON.stringify({ error: full }));
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

describe("--url", () => {
  it("asks again when the server has no room, and says what it says in the end", async () => {
    expect(await runMain("jobs", "--url", url)).toMatchObject({ code: 0, stdout: "no jobs" });
    const refused = { code: 1, stderr: "crossmodal: Full" };
    expect(await runMain("jobs", "--url", url)).toMatchObject(refused);
    expect(requests).toBe(3);
  });

  it("says in one line that no server answers, or that there can be none", async () => {
    const none = await runMain("jobs", "--url", "http://127.0.0.1:1");
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(
      /^crossmodal: No server answers at http:\/\/127\.0\.0\.1:1 \(.+\)$/,
    );
    const wrong = await runMain("jobs", "--url", "localhost:8080");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/^crossmodal: --url: expected an address like/);
  });
});

describe("without --url", () => {
  it("runs with names of models that the command does not load", async () => {
    vi.stubEnv("CROSSMODAL_ALIASES", "pictures=starter-clip");
    vi.stubEnv("CROSSMODAL_PINNED_MODELS", "starter-clip");
    const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-target-"));
    const listed = await runMain("heads", "list", "--data-dir", dataDir);
    vi.unstubAllEnvs();
    expect([listed.stderr, listed.code]).toEqual(["", 0]);
  });
});
