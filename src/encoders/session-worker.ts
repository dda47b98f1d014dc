import * as ort from "onnxruntime-node";
import { AppError } from "../errors.js";
import { cudaTrouble, hiddenCard } from "../gpu/cuda-libraries.js";
import type { Priority } from "../priority.js";
import { giveWay, niceness } from "../workers/give-way.js";
import { serveWorker, Transferred } from "../workers/serve-worker.js";
import { GraphInputs, outputRows } from "./graph-tensors.js";
import { RunQueue } from "./run-queue.js";
import { cudaAdvice, runtimeReason } from "./runtime-reason.js";
import type { Device, Feed, SessionInfo, SessionOptions, Tensor } from "./session.js";

// The only file that imports ONNX Runtime. It owns one session: `run` blocks its thread while the
// graph runs.

// Errors are thrown and reported; ONNX Runtime would also print them to stderr.
ort.env.logLevel = "fatal";

giveWay(niceness.inference); // before ONNX Runtime starts the threads of the session

let opened: { session: ort.InferenceSession; graphInputs: GraphInputs } | undefined;
const queue = new RunQueue();

interface RunRequest {
  feeds: Record<string, Feed>;
  fetches?: readonly string[];
  priority: Priority;
}

serveWorker(
  {
    async open(options: SessionOptions): Promise<SessionInfo> {
      const active = await openOnDevice(options.model, options.device ?? "auto", options.threads);
      const { session } = active;
      const info: SessionInfo = {
        inputs: session.inputMetadata.map(describeValue),
        outputs: session.outputMetadata.map(describeValue),
        provider: active.provider,
        fallbackReason: active.fallbackReason,
        runtime: ort.env.versions.node ?? "unknown",
      };
      opened = { session, graphInputs: new GraphInputs(info, options) };
      return info;
    },

    async run({ feeds, fetches, priority }: RunRequest) {
      if (opened === undefined) throw new TypeError("run was called before open");
      const { session, graphInputs } = opened;
      // Only padded batches have rows too many: outputs of a training graph are parameters.
      const n = graphInputs.pads ? Object.values(feeds)[0]?.dims[0] : undefined;
      let runMs = 0;
      const results = await queue.run(priority, async () => {
        const inputs: Record<string, ort.Tensor> = {};
        for (const [name, { type, data, dims }] of Object.entries(graphInputs.tensorsOf(feeds)))
          inputs[name] = new ort.Tensor(type, data, dims);
        const start = performance.now();
        try {
          return await (fetches === undefined ? session.run(inputs) : session.run(inputs, fetches));
        } catch (error) {
          throw new Error(runtimeReason(error));
        } finally {
          runMs = performance.now() - start;
        }
      });
      const outputs: Record<string, Tensor> = {};
      const buffers: ArrayBuffer[] = [];
      for (const [name, value] of Object.entries(results)) {
        // ONNX Runtime keeps the memory of its outputs; only a copy can be moved to the caller's
        // thread.
        const { type, dims, data } = value;
        outputs[name] = outputRows({ type, dims, data } as Tensor, n);
        buffers.push(outputs[name].data.buffer as ArrayBuffer);
      }
      return new Transferred({ outputs, runMs }, buffers);
    },
  },
  async () => {
    await opened?.session.release();
  },
);

/** What a graphics card needs for WebGPU. */
const webgpuAdvice =
  "install the driver of a graphics card (Vulkan on Linux, Direct3D 12 on Windows, Metal on " +
  "macOS); see docs/gpu.md";

async function openOnDevice(
  model: string | Uint8Array,
  device: Device,
  threads: number | undefined,
) {
  if (device === "cpu")
    return { session: await create(model, "cpu", 0, threads), provider: "cpu" as const };
  const bundled = new Set(ort.listSupportedBackends().map((backend) => backend.name));
  const wanted = device === "webgpu" ? "webgpu" : "cuda";
  const deviceId = device.startsWith("cuda:") ? Number(device.slice("cuda:".length)) : 0;
  let trouble = wanted === "cuda" ? cudaTrouble() : undefined;
  if (trouble === undefined && !bundled.has(wanted)) {
    const others = [...bundled].join(", ");
    trouble = {
      reason: `this build of ONNX Runtime has no ${wanted} provider (it has ${others})`,
      advice: "see docs/gpu.md",
    };
  }
  if (trouble === undefined) {
    try {
      const session = await create(model, wanted, deviceId, threads);
      return { session, provider: wanted as "cuda" | "webgpu" };
    } catch (error) {
      if (error instanceof AppError) throw error;
      const reason = runtimeReason(error);
      const hidden = wanted === "cuda" ? hiddenCard() : undefined;
      trouble = hidden ?? {
        reason: `ONNX Runtime could not start its ${wanted} provider: ${reason}`,
        advice: wanted === "cuda" ? cudaAdvice(reason) : webgpuAdvice,
      };
    }
  }
  const { reason, advice } = trouble;
  if (device === "auto") {
    return {
      session: await create(model, "cpu", 0, threads),
      provider: "cpu" as const,
      fallbackReason: reason,
    };
  }
  throw new AppError(
    "device_unavailable",
    `The device "${device}" cannot be used: ${reason}. To use it: ${advice}.`,
    { param: "device" },
  );
}

async function create(
  model: string | Uint8Array,
  provider: string,
  deviceId: number,
  threads?: number,
) {
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: [provider === "cuda" ? { name: "cuda", deviceId } : provider],
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    graphOptimizationLevel: "all",
    // A memory plan for each batch size takes a third more memory and is no faster.
    enableMemPattern: provider !== "cpu",
    // Spinning threads of two sessions fight over the same cores.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
  try {
    return typeof model === "string"
      ? await ort.InferenceSession.create(model, options)
      : await ort.InferenceSession.create(model, options);
  } catch (error) {
    if (provider !== "cpu") throw error;
    const name = typeof model === "string" ? `"${model.split("/").pop()}"` : "The given graph";
    throw new AppError(
      "model_corrupt",
      `${name} cannot be loaded by ONNX Runtime: ${runtimeReason(error)}`,
      {
        cause: error,
      },
    );
  }
}

function describeValue(value: ort.InferenceSession.ValueMetadata) {
  return value.isTensor
    ? { name: value.name, type: value.type, dims: [...value.shape] }
    : { name: value.name, type: "sequence", dims: [] };
}
