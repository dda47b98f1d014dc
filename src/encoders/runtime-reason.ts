/**
 * What ONNX Runtime says, in one line, without the positions and signatures of its source that it
 * puts before the words, and the machine's name that it puts behind them.
 *
 * "…/cuda_call.cc:154 std::conditional_t<…> onnxruntime::CudaCall(…) [with …] CUDA failure 100: no
 * CUDA-capable device is detected ; GPU=-1 ; hostname=…" is "CUDA failure 100: no CUDA-capable
 * device is detected".
 */
export function runtimeReason(error: unknown): string {
  const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
  return line
    .replace(/^Exception during initialization: /, "")
    .replace(/\/\S+:\d+ .* was false\. /, "")
    .replaceAll(/\/\S+\.(?:cc|cpp|h|cu|cuh):\d+ [\w:<>,&*~ ]+\([^)]*\)(?: \[with [^\]]*\])? /g, "")
    .replace(/ ; GPU=-?\d+ ; .*$/, "")
    .replace(/\.$/, "")
    .trim();
}

/** What to do about a failure of CUDA or its libraries. */
const adviceByReason: [reason: RegExp, advice: string][] = [
  [
    // cuDNN and cuBLAS say no more than these when they get no memory.
    /CUDA failure 2:|CUBLAS failure 3:|CUDNN failure 4000:|Failed to allocate memory/,
    "see with `nvidia-smi` whether the card's memory is full; end what fills it, load fewer " +
      "models or models in half precision (dtype fp16), or lower maxBatch",
  ],
  [/CUDA failure 35:/, "install NVIDIA's driver, 580 or newer"],
  [
    /CUDA failure 100:/,
    "make a card visible to this process (`nvidia-smi` lists them; CUDA_VISIBLE_DEVICES hides " +
      "them; containers need `--gpus all`)",
  ],
  [/CUDA failure 101:/, "name one of the cards that `nvidia-smi -L` lists"],
];

/** As a sentence without its full stop. */
export const cudaAdvice = (reason: string): string =>
  adviceByReason.find(([pattern]) => pattern.test(reason))?.[1] ?? "see docs/gpu.md";
