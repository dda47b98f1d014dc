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
    .replace(/\/\S+:\d+ .* was false\. /, "")
    .replaceAll(/\/\S+\.(?:cc|cpp|h|cu|cuh):\d+ [\w:<>,&*~ ]+\([^)]*\)(?: \[with [^\]]*\])? /g, "")
    .replace(/ ; GPU=-?\d+ ; .*$/, "")
    .replace(/\.$/, "")
    .trim();
}

/** What to do about a failure of CUDA, by the number in its reason. */
const adviceByFailure: Record<string, string> = {
  2: "free memory of the card, load fewer models, or models in half precision",
  35: "install NVIDIA's driver, 580 or newer",
  100:
    "make a card visible to this process (`nvidia-smi` lists them; CUDA_VISIBLE_DEVICES hides " +
    "them; containers need `--gpus all`)",
  101: "name one of the cards that `nvidia-smi -L` lists",
};

/** As a sentence without its full stop. */
export function cudaAdvice(reason: string): string {
  const [, failure] = /\bCUDA failure (\d+):/.exec(reason) ?? [];
  return adviceByFailure[failure ?? ""] ?? "see docs/gpu.md";
}
