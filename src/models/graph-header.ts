import { WireReader } from "./wire-reader.js";

/** A named input or output of a graph; a dynamic dimension is undefined. */
export interface GraphValue {
  name: string;
  dims: (number | undefined)[];
}

/** The description of an ONNX file, without weights. */
export interface GraphHeader {
  inputs: GraphValue[];
  outputs: GraphValue[];
  /**
   * Files beside the graph that hold weights, as the graph names them, and the bytes of each that
   * it needs.
   */
  externalFiles: Map<string, number>;
}

/**
 * Field numbers of the messages on the way to a name, a shape or a location. Source:
 * onnx/onnx.proto3.
 */
const messages = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  function: { 7: "node", 11: "attribute" },
  graph: { 1: "node", 5: "tensor", 11: "input", 12: "output", 15: "sparse" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
} as const satisfies Record<string, Record<number, string>>;
type Message = keyof typeof messages;

const maxDepth = 64;
const maxValues = 100_000;
const maxExternalFiles = 1000;

/**
 * Reads the inputs, the outputs and the names of weight files from an ONNX graph. Weights are
 * skipped, not read: a graph of 2 GB takes no more memory than one of 2 kB.
 *
 * @param fd  of a regular file.
 * @throws RangeError saying what is wrong ("not an ONNX graph").
 */
export function readGraphHeader(fd: number): GraphHeader {
  return new HeaderReader(fd).read();
}

class HeaderReader {
  readonly #bytes: WireReader;
  readonly #initializers = new Set<string>();
  readonly #header: GraphHeader = { inputs: [], outputs: [], externalFiles: new Map() };
  #hasGraph = false;

  constructor(fd: number) {
    this.#bytes = new WireReader(fd);
  }

  read(): GraphHeader {
    this.#message("model", 0, this.#bytes.size, 0);
    if (!this.#hasGraph) throw new RangeError("not an ONNX graph");
    // Graphs of IR versions before 4 list their weights among their inputs.
    const inputs = this.#header.inputs.filter(({ name }) => !this.#initializers.has(name));
    return { ...this.#header, inputs };
  }

  #message(kind: Message, start: number, end: number, depth: number): void {
    if (depth > maxDepth) throw new RangeError("an ONNX graph nested too deeply");
    const isMain = kind === "graph" && depth === 1;
    if (isMain) this.#hasGraph = true;
    const children: Record<number, string> = messages[kind];
    for (const field of this.#bytes.fields(start, end)) {
      const child = field.isBytes ? children[field.number] : undefined;
      if (child === undefined) continue;
      if (child === "tensor") this.#tensor(field.start, field.end, isMain);
      else if (child === "input" || child === "output") {
        if (isMain) this.#value(child, field.start, field.end);
      } else this.#message(child as Message, field.start, field.end, depth + 1);
    }
  }

  /** TensorProto: 8 name, 13 external_data with the keys location, offset and length. */
  #tensor(start: number, end: number, isMain: boolean): void {
    const external = new Map<string, string>();
    for (const field of this.#bytes.fields(start, end)) {
      if (field.number === 8 && isMain && field.isBytes)
        this.#initializers.add(this.#bytes.text(field));
      if (field.number !== 13 || !field.isBytes) continue;
      const pair = ["", ""];
      for (const part of this.#bytes.fields(field.start, field.end))
        if (part.isBytes && part.number <= 2) pair[part.number - 1] = this.#bytes.text(part);
      external.set(pair[0], pair[1]);
    }
    const location = external.get("location");
    if (location === undefined) return;
    const needed = Number(external.get("offset") ?? 0) + Number(external.get("length") ?? 0);
    if (!Number.isSafeInteger(needed) || needed < 0)
      throw new RangeError(`a graph with weights at no position in "${location}"`);
    const { externalFiles } = this.#header;
    externalFiles.set(location, Math.max(externalFiles.get(location) ?? 0, needed));
    if (externalFiles.size > maxExternalFiles)
      throw new RangeError(`a graph with weights in more than ${maxExternalFiles} files`);
  }

  /** ValueInfoProto: 1 name, 2 type > 1 tensor_type > 2 shape > 1 dim > 1 dim_value. */
  #value(list: "input" | "output", start: number, end: number): void {
    const value: GraphValue = { name: "", dims: [] };
    const within = (path: readonly number[], from: number, to: number): void => {
      for (const field of this.#bytes.fields(from, to)) {
        if (field.number !== path[0] || !field.isBytes) continue;
        if (path.length > 1) within(path.slice(1), field.start, field.end);
        else value.dims.push(this.#dimension(field.start, field.end));
      }
    };
    for (const field of this.#bytes.fields(start, end))
      if (field.number === 1 && field.isBytes) value.name = this.#bytes.text(field);
    within([2, 1, 2, 1], start, end);
    const key = list === "input" ? "inputs" : "outputs";
    this.#header[key].push(value);
    if (this.#header[key].length > maxValues)
      throw new RangeError(`a graph with more than ${maxValues} ${key}`);
  }

  #dimension(start: number, end: number): number | undefined {
    for (const field of this.#bytes.fields(start, end))
      if (field.number === 1 && !field.isBytes && isCount(field.value)) return field.value;
    return undefined;
  }
}

/** Exporters write 0 and -1 (as 2^64 - 1) for a dimension that may be any. */
const isCount = (value: number) => value > 0 && Number.isSafeInteger(value);
