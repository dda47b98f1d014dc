import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const program = `
import { pbkdf2 } from "node:crypto";
import { signalsWhileStarting } from "./src/commands/signals-while-starting.js";
import { createLog } from "./src/log.js";
signalsWhileStarting(createLog("info", false));
pbkdf2("", "", 20_000, 64, "sha512", () => undefined); // a thread is busy, as with models
process.kill(process.pid, "SIGTERM");
setInterval(() => undefined, 1000);
`;

it("says that it was stopped before it ends, also where the threads are busy", async () => {
  const args = ["--import", "tsx", "--input-type=module", "--eval", program];
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  const error = await promisify(execFile)(process.execPath, args, { env }).catch((error) => error);
  expect(error.signal).toBe("SIGTERM");
  expect(error.stderr).toContain('"msg":"stopped while starting"');
});
