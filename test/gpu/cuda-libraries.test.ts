import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  cudaTrouble,
  hiddenCard,
  type TryLibraries,
  tryToLoad,
} from "../../src/gpu/cuda-libraries.js";
import { cudaRelease } from "../../src/gpu/cuda-provider.js";

const linux = { platform: "linux", arch: "x64" };
const absent = (name: string) =>
  `${name}: cannot open shared object file: No such file or directory`;

/** A folder in which the provider lies. */
function installed(): string {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-gpu-"));
  for (const { name } of cudaRelease.libraries) writeFileSync(join(folder, name), "");
  return folder;
}

/** Each library is there but those that `missing` matches. */
const without = (missing: RegExp) => (names: readonly string[]) =>
  names.map((name) => (missing.test(name) ? absent(name) : undefined));

/** A machine with the provider. */
const found = (tryLibraries: TryLibraries) => ({ folder: installed(), tryLibraries });

describe("what CUDA lacks", () => {
  it("is nothing where all can be loaded", () => {
    expect(cudaTrouble(linux, found(without(/never/)))).toBeUndefined();
  });

  it("is the provider itself after npm ci, and no library is tried", () => {
    const folder = mkdtempSync(join(tmpdir(), "crossmodal-gpu-"));
    const trouble = cudaTrouble(linux, {
      folder,
      tryLibraries: () => {
        throw new Error("nothing to try");
      },
    });
    expect(trouble).toEqual({
      reason: "ONNX Runtime's CUDA provider is not installed",
      advice: "run `crossmodal gpu install`",
    });
  });

  it("is one library, by its name, and how to get it", () => {
    const trouble = cudaTrouble(linux, found(without(/cublasLt/)));
    expect(trouble?.reason).toBe("the CUDA provider needs libcublasLt.so.13, which was not found");
    expect(trouble?.advice).toContain("install the CUDA 13 runtime");
  });

  it("is the driver, in words", () => {
    const trouble = cudaTrouble(linux, found(without(/libcuda\.so/)));
    expect(trouble?.reason).toContain("there is no NVIDIA driver");
    expect(trouble?.advice).toBe("install NVIDIA's driver, 580 or newer");
  });

  it("is cuDNN only when it is there under neither of its names", () => {
    expect(cudaTrouble(linux, found(without(/libcudnn\.so$/)))).toBeUndefined();
    const trouble = cudaTrouble(linux, found(without(/libcudnn/)));
    expect(trouble?.reason).toBe("the CUDA provider needs libcudnn.so.9, which was not found");
  });

  it("is a library that is there and cannot be loaded, with the loader's words", () => {
    const tried = found((names) =>
      names.map((name) => (name.includes("curand") ? "wrong ELF class: ELFCLASS32" : undefined)),
    );
    const trouble = cudaTrouble(linux, tried);
    expect(trouble?.reason).toBe("libcurand.so.10 cannot be loaded (wrong ELF class: ELFCLASS32)");
  });

  it("is the provider when it cannot be loaded although its libraries can", () => {
    const trouble = cudaTrouble(linux, found(without(/providers_cuda/)));
    expect(trouble?.reason).toMatch(/CUDA provider cannot be loaded .*No such file/);
  });

  it("is not the function that only ONNX Runtime can give the provider", () => {
    const tried = found((names) =>
      names.map((name) =>
        name.includes("providers_cuda") ? `${name}: undefined symbol: Provider_GetHost` : undefined,
      ),
    );
    expect(cudaTrouble(linux, tried)).toBeUndefined();
  });

  it("is everything on another system", () => {
    expect(cudaTrouble({ platform: "darwin", arch: "arm64" })?.reason).toBe(
      "ONNX Runtime has no CUDA provider for darwin arm64",
    );
  });
});

describe("a card that a session does not find", () => {
  it("may be hidden by systemd or a container", () => {
    const root = mkdtempSync(join(tmpdir(), "crossmodal-gpu-"));
    expect(hiddenCard(root)).toBeUndefined();
    mkdirSync(join(root, "proc/driver/nvidia"), { recursive: true });
    const hidden = hiddenCard(root);
    expect(hidden?.reason).toContain("/dev/nvidiactl is hidden from this process");
    expect(hidden?.advice).toMatch(/PrivateDevices=no .*--gpus all/);
    mkdirSync(join(root, "dev"));
    writeFileSync(join(root, "dev/nvidiactl"), "");
    expect(hiddenCard(root)).toBeUndefined();
  });
});

describe.skipIf(process.platform !== "linux")("loading libraries by name", () => {
  it("tells those that can be loaded from those that cannot, with the reason", () => {
    const [here, nowhere] = tryToLoad(["libc.so.6", "libcrossmodal-nowhere.so.1"]);
    expect(here).toBeUndefined();
    expect(nowhere).toContain("No such file");
  });
});
