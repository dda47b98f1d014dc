import { z } from "zod";
import type { LoadedPack } from "../../encoders/load.js";
import { AppError, invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/fields.js";
import { parseBody } from "../../wire/parse-with.js";
import { mediaMaker } from "../media-content.js";
import { embedForeign } from "./embed-foreign.js";
import { plainErrors } from "./error-forms.js";
import { foreignBody } from "./foreign-body.js";
import { bytesElements, joinRows, splitBinary } from "./kserve-binary.js";
import type { ForeignContext, Shape } from "./shape.js";

const Parameters = optional(z.record(z.string(), z.unknown()));
const Input = z.strictObject({
  name: z.enum(["text", "image", "audio"]),
  shape: z.array(z.int().min(0)).min(1).max(8),
  datatype: z.literal("BYTES"),
  parameters: Parameters,
  data: optional(z.unknown()),
});
const Output = z.strictObject({ name: z.literal("embedding"), parameters: Parameters });
const Body = z.strictObject({
  id: optional(z.string()),
  inputs: listOf(Input, { min: 1, max: 3 }),
  outputs: optional(listOf(Output, { max: 1 })),
  parameters: Parameters,
});

/** Another configuration or other files than the model's own are not loaded. */
const LoadBody = z.strictObject({ parameters: optional(z.strictObject({})) });

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
  const get = (path: string, answer: (c: ForeignContext) => Response | Promise<Response>) => ({
    method: "GET" as const,
    path,
    answer,
  });
  return {
    name: "kserve",
    errors: plainErrors,
    routes: [
      get("/v2", (c) =>
        c.json({ name: "crossmodal", version: "2", extensions: ["binary_tensor_data"] }),
      ),
      get("/v2/health/live", (c) => c.body(null, 200)),
      get("/v2/health/ready", async (c) => {
        await services.ready;
        return c.body(null, services.troubles().length === 0 ? 200 : 503);
      }),
      get("/v2/models/stats", (c) => c.json(stats(packs.list()))),
      ...perModel("").map((path) => get(path, (c) => c.json(metadata(modelOf(c))))),
      ...perModel("/config").map((path) => get(path, (c) => c.json(config(modelOf(c))))),
      ...perModel("/stats").map((path) => get(path, (c) => c.json(stats([modelOf(c)])))),
      ...perModel("/ready").map((path) =>
        get(path, (c) => c.body(null, modelOf(c).troubles().length === 0 ? 200 : 503)),
      ),
      ...perModel("/infer").map((path) => ({
        method: "POST" as const,
        path,
        answer: (c: ForeignContext) => infer(services, modelOf(c), c),
      })),
      {
        method: "POST",
        path: "/v2/repository/models/:model/load",
        answer: async (c) => {
          await foreignBody(c, LoadBody);
          return c.json(modelOf(c) && {});
        },
      },
      { method: "POST", path: "/v2/repository/models/:model/unload", answer: refuseUnloading },
      {
        method: "POST",
        path: "/v2/repository/index",
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

/** A model that is loaded is loaded; any other, and unloading, is a matter of `models`. */
function refuseUnloading(): never {
  const message = "Models are loaded at the start and stay: option models says which";
  throw new AppError("invalid_input", message, { param: "model" });
}

async function infer(services: Services, pack: LoadedPack, c: ForeignContext): Promise<Response> {
  const { json, binary } = await splitBinary(c);
  const body = await parseBody(Body, json);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  let at = 0;
  const contents = body.inputs.flatMap((input, i): Content[] => {
    const where = `inputs[${i}]`;
    const size = input.parameters?.binary_data_size;
    const elements =
      size === undefined
        ? listedElements(input.data, where)
        : bytesElements(binary, at, size, where);
    if (typeof size === "number") at += size;
    const expected = input.shape.reduce((product, length) => product * length, 1);
    if (elements.length !== expected) {
      const message =
        `Expected ${expected} elements, as its shape says, ` + `but received ${elements.length}`;
      throw invalidInput(`${where}.data`, message);
    }
    const { name } = input;
    return elements.map((element, j) => {
      if (name !== "text") return mediaOf(element, name, `${where}.data[${j}]`);
      return { modality: name, text: typeof element === "string" ? element : utf8(element, where) };
    });
  });
  if (at !== binary.length) {
    const message = `Expected ${at} bytes of tensors behind the JSON but received ${binary.length}`;
    throw invalidInput("inputs", message);
  }
  const request = { model: pack.manifest.id, param: "inputs" };
  const { embeddings } = await embedForeign(services, request, contents, c);
  const output = {
    name: "embedding",
    datatype: "FP32",
    shape: [embeddings.length, pack.manifest.dimensions],
  };
  const head = { id: body.id, model_name: pack.manifest.id, model_version: "1" };
  const asked = body.outputs?.[0]?.parameters?.binary_data ?? body.parameters?.binary_data_output;
  if (asked !== true) {
    const data = embeddings.flatMap((embedding) => Array.from(embedding));
    return c.json({ ...head, outputs: [{ ...output, data }] });
  }
  const rows = joinRows(embeddings);
  const parameters = { binary_data_size: rows.length };
  const header = Buffer.from(JSON.stringify({ ...head, outputs: [{ ...output, parameters }] }));
  return c.body(Buffer.concat([header, rows]), 200, {
    "content-type": "application/octet-stream",
    "inference-header-content-length": String(header.length),
  });
}

/** Of texts as they are, of files in base64; nested lists are the tensor's rows. */
function listedElements(data: unknown, where: string): string[] {
  const elements = Array.isArray(data) ? data.flat(7) : [];
  if (elements.length > 0 && elements.every((one): one is string => typeof one === "string"))
    return elements;
  throw invalidInput(`${where}.data`, `Expected texts, or the base64 of files, in "${where}.data"`);
}

function utf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("invalid_input", `A text of "${where}" is not valid UTF-8`, {
      param: where,
      cause,
    });
  }
}
