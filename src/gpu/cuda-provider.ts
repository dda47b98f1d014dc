import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** A file's identity. */
interface PinnedFile {
  name: string;
  size: number;
  /** Hexadecimal. */
  sha256: string;
}

/** Where to get ONNX Runtime's CUDA provider, for one version of onnxruntime-node. */
export interface CudaRelease {
  /** The version of onnxruntime-node that the provider was built with. */
  runtime: string;
  /** The archive: origin and path of its URL. */
  origin: string;
  path: string;
  archive: PinnedFile;
  /** The libraries in it, by their path in the archive. */
  libraries: (PinnedFile & { entry: string })[];
}

/**
 * ONNX Runtime's own wheel for Python. Its CUDA provider comes from the same build as the library
 * in onnxruntime-node, and PyPI serves it from the one address that the hash of its content gives.
 * The npm package's own install script fetches a build for CUDA 12 from elsewhere instead.
 */
export const cudaRelease: CudaRelease = {
  runtime: "1.30.0",
  origin: "https://files.pythonhosted.org",
  path: "/packages/9e/80/d96143329dbe925d434b016c890a5caa785fac8e14a1570e5d6818b63545/onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl",
  archive: {
    name: "onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl",
    size: 246_685_715,
    sha256: "6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1",
  },
  libraries: [
    {
      entry: "onnxruntime/capi/libonnxruntime_providers_shared.so",
      name: "libonnxruntime_providers_shared.so",
      size: 14_632,
      sha256: "086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d",
    },
    {
      entry: "onnxruntime/capi/libonnxruntime_providers_cuda.so",
      name: "libonnxruntime_providers_cuda.so",
      size: 272_049_904,
      sha256: "35da2e7ed0dd0d1aec5cdb16ce11a51d06c0c48cf62d1b1c9332946a4fae14fc",
    },
  ],
};

/** The folder in which ONNX Runtime looks for its providers: that of its own library. */
export function providerFolder(): string {
  const main = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
  return join(dirname(main), "bin", "napi-v6", process.platform, process.arch);
}

/** Whether ONNX Runtime's CUDA libraries are where it looks for them. */
export function hasCudaProvider(folder = providerFolder()): boolean {
  return cudaRelease.libraries.every(({ name }) => existsSync(join(folder, name)));
}
