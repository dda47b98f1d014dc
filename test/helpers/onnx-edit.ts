import onnxProto from "onnx-proto";

const { ModelProto, NodeProto, TensorProto, StringStringEntryProto } = onnxProto.onnx;

/**
 * A text graph as the public CLAP exports have it: without `attention_mask` among its inputs, every
 * position attended to. The mask becomes ConstantOfShape(Shape(input_ids), 1).
 */
export function withoutAttentionMask(bytes: Uint8Array): Uint8Array {
  const model = ModelProto.decode(bytes);
  const graph = model.graph!;
  graph.input = graph.input!.filter(({ name }) => name !== "attention_mask");
  const one = TensorProto.create({
    dims: [1],
    dataType: TensorProto.DataType.INT64,
    rawData: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0),
  });
  graph.node = [
    NodeProto.create({ opType: "Shape", input: ["input_ids"], output: ["mask_shape"] }),
    NodeProto.create({
      opType: "ConstantOfShape",
      input: ["mask_shape"],
      output: ["attention_mask"],
      attribute: [{ name: "value", type: 4, t: one }],
    }),
    ...graph.node!,
  ];
  return ModelProto.encode(model).finish();
}

/**
 * The graph with its larger weights moved to a file beside it. Field names: onnx.proto3,
 * TensorProto.external_data.
 */
export function withExternalData(
  bytes: Uint8Array,
  location: string,
): { graph: Uint8Array; data: Uint8Array } {
  const model = ModelProto.decode(bytes);
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of model.graph!.initializer!) {
    const raw = tensor.rawData;
    if (raw == null || raw.length < 256) continue;
    parts.push(Uint8Array.from(raw));
    tensor.dataLocation = TensorProto.DataLocation.EXTERNAL;
    tensor.externalData = Object.entries({
      location,
      offset: String(offset),
      length: String(raw.length),
    }).map(([key, value]) => StringStringEntryProto.create({ key, value }));
    tensor.rawData = new Uint8Array();
    offset += raw.length;
  }
  return { graph: ModelProto.encode(model).finish(), data: Buffer.concat(parts) };
}

/**
 * A graph as Immich exports it with open_clip: its input and output renamed, of one fixed shape,
 * and token ids of 32 bits.
 * @param dims  of the input.
 */
export function withFixedInput(bytes: Uint8Array, name: string, dims: readonly number[]) {
  const model = ModelProto.decode(bytes);
  const graph = model.graph!;
  const [input] = graph.input!;
  const before = input.name!;
  const tensor = input.type!.tensorType!;
  const isText = tensor.elemType === TensorProto.DataType.INT64;
  graph.node = [
    NodeProto.create({
      opType: "Cast",
      input: [name],
      output: [before],
      attribute: [{ name: "to", type: 2, i: tensor.elemType! }],
    }),
    ...graph.node!,
  ];
  input.name = name;
  tensor.elemType = isText ? TensorProto.DataType.INT32 : tensor.elemType;
  tensor.shape!.dim = dims.map((dimValue) => ({ dimValue }));
  const [output] = graph.output!;
  graph.node.push(
    NodeProto.create({ opType: "Identity", input: [output.name!], output: ["embedding"] }),
  );
  output.name = "embedding";
  return ModelProto.encode(model).finish();
}
