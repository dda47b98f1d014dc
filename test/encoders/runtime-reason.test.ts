import { describe, expect, it } from "vitest";
import { cudaAdvice, runtimeReason } from "../../src/encoders/runtime-reason.js";

/** As ONNX Runtime 1.30 throws it, with its own source's path. */
const position =
  "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, " +
  "void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*, " +
  "SUCCTYPE, const char*, const char*, int) [with ERRTYPE = cudaError; bool THRW = true; " +
  "SUCCTYPE = cudaError; std::conditional_t<THRW, void, common::Status> = void] ";
const place =
  " ; GPU=-1 ; hostname=host ; file=/onnxruntime_src/cuda_execution_provider.cc ; line=352 ; " +
  "expr=cudaSetDevice(info_.device_id); ";

describe("what ONNX Runtime says", () => {
  it.each([
    [
      "a failure of CUDA",
      `${position}${position.replace("154", "146")}CUDA failure 35: CUDA driver version is ` +
        `insufficient for CUDA runtime version${place}`,
      "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
    ],
    [
      "memory that it cannot get",
      "Non-zero status code returned while running Conv node. Name:'/conv' Status Message: " +
        "/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:359 void* " +
        "onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed " +
        "to allocate memory for requested buffer of size 19660800",
      "Non-zero status code returned while running Conv node. Name:'/conv' Status Message: " +
        "Failed to allocate memory for requested buffer of size 19660800",
    ],
    [
      "WebGPU without a card",
      "/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 " +
        "onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::" +
        "WebGpuContextConfig&)::<lambda()> adapter_result.status == " +
        "wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No " +
        "supported adapters.",
      "Failed to get a WebGPU adapter: No supported adapters",
    ],
    [
      "plain words",
      "Load model from /models/clip.onnx failed: Protobuf parsing failed.\nsecond line",
      "Load model from /models/clip.onnx failed: Protobuf parsing failed",
    ],
  ])("%s", (_, message, reason) => {
    expect(runtimeReason(new Error(message))).toBe(reason);
  });

  it("and what to do about it", () => {
    const advice = cudaAdvice("CUDA failure 100: no CUDA-capable device is detected");
    expect(advice).toContain("make a card visible");
    expect(cudaAdvice("CUDA failure 101: invalid device ordinal")).toContain("nvidia-smi -L");
    // As said on a card whose memory another process held
    for (const full of [
      "CUDNN failure 4000: CUDNN_STATUS_INTERNAL_ERROR",
      "CUBLAS failure 3: the resource allocation failed",
      "Failed to allocate memory for requested buffer of size 19660800",
    ])
      expect(cudaAdvice(full)).toContain("memory is full");
    expect(cudaAdvice("CUDA failure 999: unknown error")).toBe("see docs/gpu.md");
  });
});
