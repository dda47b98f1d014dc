import {
  type AudioPreprocess,
  type ImagePreprocess,
  imageSide,
  type TextPreprocess,
} from "../encoders/manifest.js";
import type { GraphHeader, GraphValue } from "./graph-header.js";

/**
 * Refuses, with a RangeError that says what differs, a graph whose inputs do not fit the manifest:
 * when a model is added, not at the first request.
 */
export const checkInputs = { text: checkText, image: checkImage, audio: checkAudio };

function checkText(
  graph: GraphHeader,
  { contextLength, padding }: Omit<TextPreprocess, "tokenizer">,
): void {
  const ids = graph.inputs.some(({ name }) => name === "text") ? "text" : "input_ids";
  expectInputs(graph, [ids], ["attention_mask", "token_type_ids"]);
  for (const { name, dims } of graph.inputs) {
    checkBatch(name, dims);
    if (dims.length !== 0 && dims.length !== 2) throw new RangeError(shapeOf(name, dims));
    const [, length] = dims;
    if (length === undefined) continue;
    if (padding !== "max" || length !== contextLength)
      throw new RangeError(
        `the input "${name}" is ${length} tokens long for every text; export it with a ` +
          "dynamic length",
      );
  }
}

function checkImage(graph: GraphHeader, preprocess: ImagePreprocess): void {
  const isNaflex = graph.inputs.some(({ name }) =>
    /^(spatial_shapes|pixel_attention_mask)$/.test(name),
  );
  if (isNaflex) throw new RangeError("NaFlex (pictures of any shape) is not supported");
  const side = imageSide(preprocess);
  checkOnly(graph, []);
  expectShape(graph.inputs[0], [3, side, side]);
}

function checkAudio(
  graph: GraphHeader,
  { sampleRateHz, windowSeconds, hopLength, mel, longer, layout }: AudioPreprocess,
): void {
  checkOnly(graph, ["is_longer"]);
  const frames = 1 + Math.floor(Math.round(windowSeconds * sampleRateHz) / hopLength);
  const axes = layout === "frames-mels" ? [frames, mel.count] : [mel.count, frames];
  const features = graph.inputs.find(({ name }) => name !== "is_longer")!;
  expectShape(features, [longer === "fusion" ? 4 : 1, ...axes]);
}

/** One input for the medium, under any name, and those of `others`. */
function checkOnly({ inputs }: GraphHeader, others: readonly string[]): void {
  const media = inputs.filter(({ name }) => !others.includes(name));
  if (media.length === 1) return;
  const names = inputs.map(({ name }) => `"${name}"`).join(", ");
  throw new RangeError(`expected one input for the medium, but the graph takes ${names || "none"}`);
}

function expectInputs(
  { inputs }: GraphHeader,
  needed: readonly string[],
  optional: readonly string[],
): void {
  const names = inputs.map(({ name }) => name);
  const unknown = names.find((name) => !needed.includes(name) && !optional.includes(name));
  if (unknown !== undefined) throw new RangeError(`the input "${unknown}" is not supported`);
  const missing = needed.find((name) => !names.includes(name));
  if (missing !== undefined) throw new RangeError(`the graph has no input "${missing}"`);
}

/** `expected` without the batch axis; a dynamic dimension of the graph fits everything. */
function expectShape({ name, dims }: GraphValue, expected: readonly number[]): void {
  if (dims.length === 0) return; // the exporter omitted the shape
  checkBatch(name, dims);
  const fits =
    dims.length === expected.length + 1 &&
    expected.every((size, i) => dims[i + 1] === undefined || dims[i + 1] === size);
  if (!fits)
    throw new RangeError(
      `${shapeOf(name, dims)}, but the configuration expects [batch, ${expected.join(", ")}]`,
    );
}

function checkBatch(name: string, [batch]: GraphValue["dims"]): void {
  if (batch === undefined || batch === 1) return; // of one: inputs are run one by one
  throw new RangeError(
    `the input "${name}" takes batches of ${batch} only; export it with a dynamic batch axis`,
  );
}

/**
 * @param names  of the output that holds the embedding, in order of preference.
 * @throws RangeError when the graph has none of them, or it is of another length.
 */
export function checkOutput(
  { outputs }: GraphHeader,
  names: readonly string[],
  dimensions: number,
): void {
  const output = names
    .map((name) => outputs.find((candidate) => candidate.name === name))
    .find((found) => found !== undefined);
  if (output === undefined) {
    const found = outputs.map(({ name }) => `"${name}"`).join(", ") || "nothing";
    throw new RangeError(`the graph should give "${names.join('" or "')}" but gives ${found}`);
  }
  const size = output.dims.at(-1);
  if (size === undefined || size === dimensions) return;
  throw new RangeError(
    `the output "${output.name}" has ${size} numbers, but config.json says ${dimensions}`,
  );
}

const shapeOf = (name: string, dims: GraphValue["dims"]) =>
  `the input "${name}" is [${dims.map((size) => size ?? "any").join(", ")}]`;
