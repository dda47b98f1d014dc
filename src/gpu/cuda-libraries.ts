import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasCudaProvider, providerFolder } from "./cuda-provider.js";

/**
 * The libraries that the CUDA provider needs, under every name that works. cuDNN is
 * loaded at the first convolution only, so a session opens without it and the first picture fails.
 * Source: the provider's own list of needed libraries (`readelf -d`).
 */
const needed: { part: "driver" | "runtime" | "cudnn"; names: string[] }[] = [
  { part: "driver", names: ["libcuda.so.1"] },
  { part: "runtime", names: ["libcudart.so.13"] },
  { part: "runtime", names: ["libcublas.so.13"] },
  { part: "runtime", names: ["libcublasLt.so.13"] },
  { part: "runtime", names: ["libcurand.so.10"] },
  { part: "cudnn", names: ["libcudnn.so.9", "libcudnn.so"] },
];

/** How to install each part on Linux. */
const advice = {
  driver: "install NVIDIA's driver, 580 or newer",
  runtime:
    "install the CUDA 13 runtime (packages cuda-cudart-13-0, libcublas-13-0 and " +
    "libcurand-13-0 of NVIDIA's repository, or nvidia-cuda-runtime, nvidia-cublas and " +
    "nvidia-curand from PyPI)",
  cudnn: "install cuDNN 9 for CUDA 13 (libcudnn9-cuda-13, or nvidia-cudnn-cu13 from PyPI)",
};

export interface CudaTrouble {
  /** What is wrong, as part of a sentence. */
  reason: string;
  /** What to do about it, as a sentence without its full stop. */
  advice: string;
}

/** Tries to load each library by name; the reason for each failure, undefined for a loaded one. */
export type TryLibraries = (names: readonly string[]) => (string | undefined)[];

interface CudaPlaces {
  /** Of the provider. */
  folder?: string;
  tryLibraries?: TryLibraries;
}

/**
 * Why ONNX Runtime's CUDA provider cannot be loaded here, found by loading what it needs by name:
 * ONNX Runtime itself says only "Failed to load shared library", whatever is missing.
 *
 * @returns undefined when all of it can be loaded; whether there is a card shows only when a
 *   session opens.
 */
export function cudaTrouble(
  { platform, arch }: { platform: string; arch: string } = process,
  { folder = providerFolder(), tryLibraries = tryToLoad }: CudaPlaces = {},
): CudaTrouble | undefined {
  if (platform !== "linux" || arch !== "x64")
    return {
      reason: `ONNX Runtime has no CUDA provider for ${platform} ${arch}`,
      advice: "Linux on x64 has one",
    };
  if (!hasCudaProvider(folder))
    return {
      reason: "ONNX Runtime's CUDA provider is not installed",
      advice: "run `crossmodal gpu install`",
    };
  const names = needed.flatMap((library) => library.names);
  // In dependency order, and in one process, since starting one takes time.
  const provider = ["shared", "cuda"].map((part) =>
    join(folder, `libonnxruntime_providers_${part}.so`),
  );
  const tried = tryLibraries([...names, ...provider]);
  const failures = new Map(names.map((name, i) => [name, tried[i]]));
  const missing = needed.filter((library) => library.names.every((name) => failures.get(name)));
  if (missing.length > 0) return troubleOf(missing, failures);
  const failure = tried.slice(names.length).find((why) => why !== undefined && !lacksHost(why));
  if (failure === undefined) return undefined;
  return {
    reason: `ONNX Runtime's CUDA provider cannot be loaded (${failure})`,
    advice: "run `crossmodal gpu install --force`, and see docs/gpu.md",
  };
}

/**
 * Why a session finds no card on a machine that has one; the runtime says only that there is none.
 * For after it failed: before, a card whose devices libcuda has yet to make looks the same.
 * @param root  of the file system.
 */
export function hiddenCard(root = "/"): CudaTrouble | undefined {
  if (!existsSync(join(root, "proc/driver/nvidia")) || existsSync(join(root, "dev/nvidiactl")))
    return undefined;
  return {
    reason: "this machine has NVIDIA's driver, but /dev/nvidiactl is hidden from this process",
    advice:
      "let it see the card: a drop-in with PrivateDevices=no for a service of systemd, " +
      "`--gpus all` for a container (docs/gpu.md)",
  };
}

/**
 * The provider takes this function from ONNX Runtime, which has it ready only while it loads the
 * provider itself; the loader looks for it when it has found all libraries.
 */
const lacksHost = (why: string) => why.includes("Provider_GetHost");

function troubleOf(
  missing: typeof needed,
  failures: ReadonlyMap<string, string | undefined>,
): CudaTrouble {
  const parts = [...new Set(missing.map(({ part }) => part))];
  const names = missing.map((library) => library.names[0]);
  const absent = names.filter((name) => /no such file/i.test(failures.get(name) ?? ""));
  const broken = names.filter((name) => !absent.includes(name));
  const reasons: string[] = [];
  if (absent.length > 0) {
    const list = new Intl.ListFormat("en").format(absent);
    reasons.push(
      `the CUDA provider needs ${list}, which ${absent.length === 1 ? "was" : "were"} not found`,
    );
  }
  for (const name of broken) reasons.push(`${name} cannot be loaded (${failures.get(name)})`);
  if (absent.includes("libcuda.so.1")) reasons.push("there is no NVIDIA driver");
  return { reason: reasons.join("; "), advice: parts.map((part) => advice[part]).join("; ") };
}

/**
 * In a separate process, since a driver's code runs as soon as its library is loaded. Node.js loads
 * any library as an add-on and then complains that it is not one: that complaint means success.
 */
const script = `
const { dlopen: { RTLD_LAZY, RTLD_GLOBAL } } = require("node:os").constants;
console.log(JSON.stringify(process.argv.slice(1).map((name) => {
  try { process.dlopen({ exports: {} }, name, RTLD_LAZY | RTLD_GLOBAL); }
  catch ({ message }) { if (!message.includes("did not self-register")) return message; }
})));`;

export function tryToLoad(names: readonly string[]): (string | undefined)[] {
  const child = spawnSync(process.execPath, ["-e", script, ...names], {
    encoding: "utf8",
    timeout: 30_000,
  });
  try {
    const failures = JSON.parse(child.stdout) as (string | null)[];
    return failures.map((failure) => failure ?? undefined);
  } catch {
    const why = child.signal ?? child.error?.message ?? `exit code ${child.status}`;
    return names.map(() => `the attempt ended with ${why}`);
  }
}
