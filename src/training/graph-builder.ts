import onnxProto from "onnx-proto";

const { onnx } = onnxProto;

type Attribute = number | readonly number[] | { float: number } | GraphBuilder;
type ElementType = "float32" | "int32";
type Dimensions = readonly (number | string)[];

const elementTypes = {
  float32: onnx.TensorProto.DataType.FLOAT,
  int32: onnx.TensorProto.DataType.INT32,
};
const attributeTypes = onnx.AttributeProto.AttributeType;

/**
 * Collects the nodes of an ONNX graph. Values are identified by names; `op` generates a name and
 * returns it. The only file that imports onnx-proto.
 */
export class GraphBuilder {
  private readonly nodes: InstanceType<typeof onnx.NodeProto>[] = [];
  private readonly constants = new Map<string, InstanceType<typeof onnx.TensorProto>>();
  private readonly inputs: InstanceType<typeof onnx.ValueInfoProto>[] = [];
  private readonly outputs: InstanceType<typeof onnx.ValueInfoProto>[] = [];
  private readonly prefix: string;

  /**
   * @param prefix  starts every generated name; a body's must differ from the surrounding graph's.
   */
  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Adds a node with one output, with the name `output` or a generated one. */
  op(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    output?: string,
  ): string {
    const [name] = this.ops(
      type,
      inputs,
      [output ?? `${this.prefix}${this.nodes.length}`],
      attributes,
    );
    return name;
  }

  /** Adds a node with the outputs of those names. */
  ops(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, Attribute> = {},
  ): readonly string[] {
    this.nodes.push(
      onnx.NodeProto.create({
        opType: type,
        name: `${this.prefix}node${this.nodes.length}`,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      }),
    );
    return outputs;
  }

  /** A float32 scalar. */
  scalar(value: number): string {
    const name = `${this.prefix}constant ${value}`;
    this.constants.set(
      name,
      onnx.TensorProto.create({
        name,
        dataType: elementTypes.float32,
        dims: [],
        floatData: [value],
      }),
    );
    return name;
  }

  /** A list of int64, for axes and sizes of operators. */
  integers(...values: number[]): string {
    const name = `${this.prefix}integers ${values.join(" ")}`;
    const data = new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
    this.constants.set(
      name,
      onnx.TensorProto.create({
        name,
        dataType: onnx.TensorProto.DataType.INT64,
        dims: [values.length],
        rawData: data,
      }),
    );
    return name;
  }

  input(name: string, dims: Dimensions, type: ElementType = "float32"): string {
    this.inputs.push(valueInfo(name, dims, type));
    return name;
  }

  output(name: string, dims: Dimensions, type: ElementType = "float32"): string {
    this.outputs.push(valueInfo(name, dims, type));
    return name;
  }

  graph(): InstanceType<typeof onnx.GraphProto> {
    return onnx.GraphProto.create({
      name: `${this.prefix}graph`,
      node: this.nodes,
      input: this.inputs,
      output: this.outputs,
      initializer: [...this.constants.values()],
    });
  }

  /** The bytes of a model of this graph. */
  model(opset: number): Uint8Array {
    return onnx.ModelProto.encode(
      onnx.ModelProto.create({
        irVersion: 8,
        producerName: "crossmodal",
        opsetImport: [onnx.OperatorSetIdProto.create({ domain: "", version: opset })],
        graph: this.graph(),
      }),
    ).finish();
  }
}

function attribute(name: string, value: Attribute) {
  if (value instanceof GraphBuilder) {
    return onnx.AttributeProto.create({ name, type: attributeTypes.GRAPH, g: value.graph() });
  }
  if (typeof value === "number")
    return onnx.AttributeProto.create({ name, type: attributeTypes.INT, i: value });
  if ("float" in value)
    return onnx.AttributeProto.create({ name, type: attributeTypes.FLOAT, f: value.float });
  return onnx.AttributeProto.create({ name, type: attributeTypes.INTS, ints: [...value] });
}

function valueInfo(name: string, dims: Dimensions, type: ElementType) {
  return onnx.ValueInfoProto.create({
    name,
    type: {
      tensorType: {
        elemType: elementTypes[type],
        shape: {
          dim: dims.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })),
        },
      },
    },
  });
}
