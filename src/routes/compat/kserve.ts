import { z } from "zod";
import type { LoadedPack } from "../../encoders/load.js";
import { AppError } from "../../errors.js";
import type { Services } from "../../services.js";
import { AnyObject, optional } from "../../wire/field-types.js";
import { binary, type Content, json } from "../describe.js";
import { plainErrors } from "./error-forms.js";
import { foreignBody } from "./foreign-body.js";
import { InferAnswer, InferBody, infer } from "./kserve-infer.js";
import type { ForeignContext, Shape } from "./shape.js";

/** Another configuration or other files than the model's own are not loaded. */
const LoadBody = z.strictObject({ parameters: optional(z.strictObject({})) });

const Empty = z.object({});
const Server = z.object({
  name: z.literal("crossmodal"),
  version: z.string(),
  extensions: z.array(z.string()),
});
const Tensor = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });
const Metadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(Tensor),
  outputs: z.array(Tensor),
});
const ConfigTensor = z.object({
  name: z.string(),
  data_type: z.string(),
  dims: z.array(z.int()),
});
const ModelConfig = z.object({
  name: z.string(),
  platform: z.string(),
  backend: z.string(),
  version_policy: z.object({ latest: z.object({ num_versions: z.int() }) }),
  max_batch_size: z.int(),
  input: z.array(ConfigTensor),
  output: z.array(ConfigTensor),
});
const Statistics = z.object({
  model_stats: z.array(z.object({ name: z.string(), version: z.string() })),
});
const Index = z.array(
  z.object({ name: z.string(), version: z.string(), state: z.string(), reason: z.string() }),
);
/** With the binary extension JSON comes first and tensors behind it. */
const raw = binary("application/octet-stream");

/**
 * The open inference protocol, v2, with Triton's binary extension. A model has an input of BYTES
 * for each of its modalities, of shape [n] or [n, 1], and one output `embedding`, FP32 [n,
 * dimensions]. Source: kserve/open-inference-protocol, specification/protocol/inference_rest.md;
 * triton-inference-server/server, docs/protocol/extension_binary_data.md. Measured with
 * tritonclient 2.73.0.
 */
export function kserveShape(services: Services): Shape {
  const { packs } = services;
  const modelOf = (c: ForeignContext) => packs.find(c.req.param("model"));
  const perModel = (suffix: string) => [
    `/v2/models/:model${suffix}`,
    `/v2/models/:model/versions/:version${suffix}`,
  ];
  const get = (
    path: string,
    returns: Content | undefined,
    answer: (c: ForeignContext) => Response | Promise<Response>,
  ) => ({ method: "GET" as const, path, returns, answer });
  return {
    name: "kserve",
    ...plainErrors,
    routes: [
      get("/v2", json(Server), (c) =>
        c.json({ name: "crossmodal", version: "2", extensions: ["binary_tensor_data"] }),
      ),
      get("/v2/health/live", undefined, (c) => c.body(null, 200)),
      get("/v2/health/ready", undefined, async (c) => {
        await services.ready;
        return c.body(null, services.troubles().length === 0 ? 200 : 503);
      }),
      get("/v2/models/stats", json(Statistics), (c) => c.json(stats(packs.list()))),
      ...perModel("").map((path) => get(path, json(Metadata), (c) => c.json(metadata(modelOf(c))))),
      ...perModel("/config").map((path) =>
        get(path, json(ModelConfig), (c) => c.json(config(modelOf(c)))),
      ),
      ...perModel("/stats").map((path) =>
        get(path, json(Statistics), (c) => c.json(stats([modelOf(c)]))),
      ),
      ...perModel("/ready").map((path) =>
        get(path, undefined, (c) => c.body(null, modelOf(c).troubles().length === 0 ? 200 : 503)),
      ),
      ...perModel("/infer").map((path) => ({
        method: "POST" as const,
        path,
        body: { ...json(InferBody), ...raw },
        returns: { ...json(InferAnswer), ...raw },
        answer: (c: ForeignContext) => infer(services, modelOf(c), c),
      })),
      {
        method: "POST",
        path: "/v2/repository/models/:model/load",
        body: json(LoadBody),
        returns: json(Empty),
        answer: async (c) => {
          await foreignBody(c, LoadBody);
          return c.json(modelOf(c) && {});
        },
      },
      {
        method: "POST",
        path: "/v2/repository/models/:model/unload",
        body: json(AnyObject),
        answer: refuseUnloading,
      },
      {
        method: "POST",
        path: "/v2/repository/index",
        body: json(AnyObject),
        returns: json(Index),
        answer: (c) =>
          c.json(
            packs.list().map(({ manifest }) => ({
              name: manifest.id,
              version: "1",
              state: "READY",
              reason: "",
            })),
          ),
      },
    ],
  };
}

const metadata = ({ manifest, towers }: LoadedPack) => ({
  name: manifest.id,
  versions: ["1"],
  platform: "crossmodal",
  inputs: towers.map(({ modality }) => ({ name: modality, datatype: "BYTES", shape: [-1] })),
  outputs: [{ name: "embedding", datatype: "FP32", shape: [-1, manifest.dimensions] }],
});

/** Source: triton-inference-server/server, docs/protocol/extension_model_configuration.md. */
const config = (pack: LoadedPack) => ({
  name: pack.manifest.id,
  platform: "crossmodal",
  backend: "onnxruntime",
  version_policy: { latest: { num_versions: 1 } },
  max_batch_size: 0,
  input: metadata(pack).inputs.map(({ name }) => ({ name, data_type: "TYPE_STRING", dims: [-1] })),
  output: [{ name: "embedding", data_type: "TYPE_FP32", dims: [-1, pack.manifest.dimensions] }],
});

/** Names only: what is measured is at /metrics. Source: …/extension_statistics.md. */
const stats = (packs: readonly LoadedPack[]) => ({
  model_stats: packs.map(({ manifest }) => ({ name: manifest.id, version: "1" })),
});

/** Loading a loaded model succeeds; others, and unloading, are up to the option `models`. */
function refuseUnloading(): never {
  const message = "Models are not loaded or unloaded through this API (option models)";
  throw new AppError("invalid_input", message, { param: "model" });
}
