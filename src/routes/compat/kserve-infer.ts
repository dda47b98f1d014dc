import { z } from "zod";
import type { LoadedPack } from "../../encoders/load.js";
import { AppError, invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/field-types.js";
import { parseBody } from "../../wire/parse-with.js";
import { mediaMaker } from "../media-content.js";
import { Vector } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import { bytesElements, joinRows, splitBinary } from "./kserve-binary.js";
import type { ForeignContext } from "./shape.js";

const Parameters = optional(z.record(z.string(), z.unknown()));
const Input = z.strictObject({
  name: z.enum(["text", "image", "audio"]),
  shape: z.array(z.int().min(0)).min(1).max(8),
  datatype: z.literal("BYTES"),
  parameters: Parameters,
  data: optional(z.unknown()),
});
const Output = z.strictObject({ name: z.literal("embedding"), parameters: Parameters });
export const InferBody = z.strictObject({
  id: optional(z.string()),
  inputs: listOf(Input, { min: 1, max: 3 }),
  outputs: optional(listOf(Output, { max: 1 })),
  parameters: Parameters,
});

export const InferAnswer = z.object({
  id: z.string().optional(),
  model_name: z.string(),
  model_version: z.string(),
  outputs: z.array(
    z.object({
      name: z.literal("embedding"),
      datatype: z.literal("FP32"),
      shape: z.array(z.int()),
      data: Vector,
    }),
  ),
});

/** `POST …/infer`, in JSON or with Triton's binary extension, both ways. */
export async function infer(
  services: Services,
  pack: LoadedPack,
  c: ForeignContext,
): Promise<Response> {
  const { json, binary } = await splitBinary(c);
  const body = await parseBody(InferBody, json);
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
      const received = elements.length;
      const message = `Expected ${expected} elements, as its shape says, but received ${received}`;
      throw invalidInput(`${where}.data`, message);
    }
    const { name } = input;
    return elements.map((element, j) => {
      if (name !== "text") return mediaOf(element, name, `${where}.data[${j}]`);
      return { modality: name, text: typeof element === "string" ? element : utf8(element, where) };
    });
  });
  if (at !== binary.length) {
    const message = `Expected ${at} bytes of tensors after the JSON but received ${binary.length}`;
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
  const wantsBinary =
    body.outputs?.[0]?.parameters?.binary_data ?? body.parameters?.binary_data_output;
  if (wantsBinary !== true) {
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
