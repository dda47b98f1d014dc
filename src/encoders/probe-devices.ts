import { execFile } from "node:child_process";
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

/**
 * Which devices can really run a graph here: each is tried with a small one. In a process each, as
 * drivers crash, and write their own warnings to stderr.
 */
export async function probeDevices(): Promise<{ runtime: string; devices: DeviceReport[] }> {
  const devices = ["cpu", "cuda", "webgpu"] as const;
  const probes = await Promise.all(devices.map(probe));
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

function probe(device: string): Promise<DeviceProbe> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...entry(), device], (error, stdout) => {
      if (error === null) return resolve(JSON.parse(stdout) as DeviceProbe);
      const how = error.signal ? `was ended by ${error.signal}` : `ended with ${error.code}`;
      resolve({ available: false, reason: `the process that tried it ${how}` });
    });
  });
}

/** The arguments of node: from TypeScript (tests, `npm run dev`) the `.ts` file, through tsx. */
function entry(): string[] {
  const path = fileURLToPath(new URL("./probe-process.js", import.meta.url));
  if (!import.meta.url.endsWith(".ts")) return [path];
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx"));
  return ["--import", tsx.href, path.replace(/\.js$/, ".ts")];
}
