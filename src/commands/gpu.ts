import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Command } from "commander";
import { probeDevice } from "../encoders/probe-devices.js";
import { cudaRelease, providerFolder } from "../gpu/cuda-provider.js";
import { hubSettings } from "../models/hub/hub-settings.js";
import { installCudaProvider } from "../models/install-cuda-provider.js";
import { addConfigFlags, configOf } from "./options.js";
import { stopOnSignal } from "./stop-on-signal.js";
import { CommandError } from "./target.js";
import { transferProgress } from "./transfer-progress.js";

/** `crossmodal gpu install`: the parts of CUDA that npm does not install. */
export function gpuCommand(program: Command): void {
  const gpu = program
    .command("gpu")
    .description("NVIDIA cards: what they need, and whether it works");
  const install = gpu
    .command("install")
    .description("fetch ONNX Runtime's CUDA provider (247 MB from PyPI, checked, resumable)")
    .option("--from <wheel>", `a copy of ${cudaRelease.archive.name} instead of a download`)
    .option("--force", "install again even if it is installed");
  addConfigFlags(install, ["dataDir"]).action(async ({ from, force, ...flags }) => {
    const { platform, arch } = process;
    if (platform !== "linux" || arch !== "x64")
      throw new CommandError(
        `There is a CUDA provider for Linux on x64 only, and this is ${platform} ${arch}; ` +
          "see docs/gpu.md for WebGPU",
      );
    // Root may own the runtime's folder and not the data: nothing that a server reads is in it
    const { dataDir } = configOf(flags, { usesFolder: false });
    const stop = stopOnSignal();
    const progress = transferProgress();
    const folder = providerFolder();
    try {
      const installed = await installCudaProvider({
        folder,
        cacheDir: join(dataDir, "gpu"),
        from,
        force,
        network: hubSettings(process.env),
        runtime: runtimeVersion(),
        signal: stop.signal,
        progress,
      });
      progress.stop();
      const providerName = `ONNX Runtime ${cudaRelease.runtime}'s CUDA provider`;
      console.log(
        `${providerName} ${installed ? "is installed" : "was already installed"} in ${folder}`,
      );
    } finally {
      progress.stop();
      stop.release();
    }
    await report();
  });
  gpu
    .command("status")
    .description("whether CUDA works here, and if not, what is missing")
    .action(report);
}

/** @throws CommandError when CUDA does not work, so that a script can tell. */
async function report(): Promise<void> {
  const { available, reason } = await probeDevice("cuda");
  if (!available) throw new CommandError(`CUDA cannot be used: ${reason}`);
  console.log("CUDA works: a convolution ran on the card and gave the right numbers.");
}

function runtimeVersion(): string {
  const path = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
