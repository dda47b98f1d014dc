import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

export interface DeviceProbe {
  available: boolean;
  /** Why it is unavailable, and what to install. */
  reason?: string;
  /** ONNX Runtime's version, where it ran. */
  runtime?: string;
}

export interface DeviceReport extends Omit<DeviceProbe, "runtime"> {
  device: "cpu" | "cuda" | "webgpu";
}

/** A card that is slow to start takes a few seconds. */
const maxProbeMs = 60_000;

/**
 * Which devices can really run a graph here: each is tried with a small one. In a process each, as
 * drivers crash, hang, and write their own warnings to stderr.
 */
export async function probeDevices(): Promise<{ runtime: string; devices: DeviceReport[] }> {
  const devices = ["cpu", "cuda", "webgpu"] as const;
  const probes = await Promise.all(devices.map(probeDevice));
  const runtime = probes.find((found) => found.runtime !== undefined)?.runtime ?? "unknown";
  return {
    runtime,
    devices: probes.map(({ available, reason }, i) => ({
      device: devices[i],
      available,
      ...(reason !== undefined && { reason }),
    })),
  };
}

/** As `probeDevices`, of one. */
export const probeDevice = (device: DeviceReport["device"]): Promise<DeviceProbe> =>
  probe([...entry(), device]);

/**
 * @param args  of node, for a process that writes a `DeviceProbe` as JSON, on a line of its own.
 * @param maxMs  after which it is given up. Its end is not waited for: a process that waits inside
 *   a driver may be one that no signal ends.
 */
export function probe(args: readonly string[], maxMs = maxProbeMs): Promise<DeviceProbe> {
  return new Promise((resolve) => {
    const unavailable = (how: string) =>
      resolve({ available: false, reason: `the process that tried it ${how}` });
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      child.stdout.destroy();
      child.unref();
      const seconds = maxMs / 1000;
      unavailable(`did not answer within ${seconds} s: its driver hangs, or the machine is busy`);
    }, maxMs);
    let answer = "";
    child.stdout.on("data", (chunk) => {
      answer += chunk;
    });
    child.once("error", ({ message }) => unavailable(`could not be started: ${message}`));
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code !== 0)
        return unavailable(signal === null ? `ended with ${code}` : `was ended by ${signal}`);
      const found = answer
        .split("\n")
        .map(probeIn)
        .findLast((line) => line !== undefined);
      if (found === undefined) return unavailable("ended without an answer");
      resolve(found);
    });
  });
}

/** A driver may write to stdout, too, before and after. */
function probeIn(line: string): DeviceProbe | undefined {
  try {
    const value = JSON.parse(line) as DeviceProbe | null;
    return typeof value?.available === "boolean" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The arguments of node: from TypeScript (tests, `npm run dev`) the `.ts` file, through tsx. */
function entry(): string[] {
  const path = fileURLToPath(new URL("./probe-process.js", import.meta.url));
  if (!import.meta.url.endsWith(".ts")) return [path];
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx"));
  return ["--import", tsx.href, path.replace(/\.js$/, ".ts")];
}
