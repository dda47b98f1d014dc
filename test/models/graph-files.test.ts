import { mkdirSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { afterEach, describe, expect, it } from "vitest";
import { addModel, filesOf } from "../../src/models/add.js";
import { readGraph } from "../../src/models/graph-files.js";
import { inspectFolder } from "../../src/models/inspect-folder.js";
import { goldenPath, largestDifference } from "../helpers/golden.js";
import { folderWith } from "../helpers/model-folders.js";
import { withExternalData } from "../helpers/onnx-edit.js";
import { loadPack, type TestPack } from "../helpers/packs.js";

const { ModelProto, TensorProto, AttributeProto, NodeProto, GraphProto } = onnxProto.onnx;
const about = { id: "mine", source: "owner/name", logitScale: 100 };
const vision = "onnx/vision_model.onnx";

/** tiny-clip with the weights of a graph in a file of that name beside it. */
function folderWithWeights(locations: Record<string, string>): string {
  const folder = folderWith("tiny-clip");
  for (const [path, location] of Object.entries(locations)) {
    const { graph, data } = withExternalData(readFileSync(join(folder, path)), location);
    writeFileSync(join(folder, path), graph);
    mkdirSync(join(folder, "onnx", location, ".."), { recursive: true });
    writeFileSync(join(folder, "onnx", location), data);
  }
  return folder;
}

/** A model whose only tensors with a place in a file are given. */
function folderWithGraph(graph: Record<string, unknown>): string {
  const folder = folderWith("tiny-clip");
  const model = ModelProto.decode(readFileSync(join(folder, vision)));
  Object.assign(model.graph!, graph);
  writeFileSync(join(folder, vision), ModelProto.encode(model).finish());
  return folder;
}
const tensorAt = (location: string, more: Record<string, string> = {}) =>
  TensorProto.create({
    dims: [1],
    dataType: 1,
    dataLocation: TensorProto.DataLocation.EXTERNAL,
    externalData: Object.entries({ location, ...more }).map(([key, value]) => ({ key, value })),
  });

describe("readGraph", () => {
  it.each(["tiny-clip", "tiny-siglip", "tiny-clap-fused"])(
    "reads the inputs and outputs that onnx-proto reads (%s)",
    async (tiny) => {
      const path = `onnx/${tiny.startsWith("tiny-clap") ? "audio" : "vision"}_model.onnx`;
      const { graph } = ModelProto.decode(readFileSync(goldenPath(`${tiny}/${path}`)));
      const headerOf = ({ name, type }: onnxProto.onnx.IValueInfoProto) => ({
        name,
        dims: type!.tensorType!.shape!.dim!.map(({ dimValue }) => Number(dimValue) || undefined),
      });
      expect(await readGraph(goldenPath(tiny), path)).toEqual({
        inputs: graph!.input!.map(headerOf),
        outputs: graph!.output!.map(headerOf),
        externalFiles: new Map(),
      });
    },
  );

  it("finds weights in other files wherever a tensor may be, and how far they reach", async () => {
    const attribute = (fields: Record<string, unknown>) =>
      NodeProto.create({ opType: "Any", attribute: [AttributeProto.create(fields)] });
    const folder = folderWithGraph({
      initializer: [tensorAt("a", { offset: "4096", length: "8" }), tensorAt("a", { length: "4" })],
      node: [
        attribute({ t: tensorAt("b") }),
        attribute({ tensors: [tensorAt("c")] }),
        attribute({ g: GraphProto.create({ initializer: [tensorAt("d")] }) }),
        attribute({ graphs: [GraphProto.create({ node: [attribute({ t: tensorAt("e") })] })] }),
      ],
      sparseInitializer: [{ values: tensorAt("f"), indices: tensorAt("g"), dims: [1] }],
    });
    const { externalFiles } = await readGraph(folder, vision);
    expect(Object.fromEntries(externalFiles)).toEqual({
      a: 4104,
      b: 0,
      c: 0,
      d: 0,
      e: 0,
      f: 0,
      g: 0,
    });
  });

  it("takes no weight for an input (graphs of IR version 3 list both)", async () => {
    const folder = folderWith("tiny-clip");
    const model = ModelProto.decode(readFileSync(join(folder, vision)));
    const [{ name }] = model.graph!.initializer!;
    model.graph!.input!.push({ name });
    writeFileSync(join(folder, vision), ModelProto.encode(model).finish());
    const { inputs } = await readGraph(folder, vision);
    expect(inputs.map((input) => input.name)).toEqual(["pixel_values"]);
  });

  it.each([1, 2, 100, 5000])("refuses a graph that ends after %i bytes", async (bytes) => {
    const folder = folderWith("tiny-clip");
    truncateSync(join(folder, vision), bytes);
    await expect(readGraph(folder, vision)).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringMatching(`${vision} is (not )?an ONNX graph`),
    });
  });

  it("refuses graphs within graphs without an end", async () => {
    let graph = GraphProto.create({});
    for (let i = 0; i < 500; i++)
      graph = GraphProto.create({
        node: [NodeProto.create({ attribute: [AttributeProto.create({ g: graph })] })],
      });
    await expect(readGraph(folderWithGraph({ node: graph.node }), vision)).rejects.toMatchObject({
      message: expect.stringContaining("nested too deeply"),
    });
  });
});

describe("weights in another file", () => {
  const packs: TestPack[] = [];
  afterEach(() => Promise.all(packs.splice(0).map((pack) => pack.close())));

  it.each([
    ["any name", { [vision]: "vision_weights.bin" }],
    ["a UUID", { [vision]: "0d8d9cf2-7cf0-11ef-a5d1-0242ac120002" }],
    ["a folder below", { [vision]: "weights/vision.data" }],
    ["the name of another graph's", { [vision]: "model.onnx_data" }],
  ])("are copied and run under %s", async (_, locations) => {
    const root = mkdtempSync(join(tmpdir(), "crossmodal-external-"));
    await addModel(folderWithWeights(locations), root, about);
    await addModel(folderWith("tiny-clip"), root, { ...about, id: "inside" });
    const [outside, inside] = [await loadPack(root, "mine"), await loadPack(root, "inside")];
    packs.push(outside, inside);
    const image = { width: 40, height: 30, rgb: new Uint8Array(3600).fill(90) };
    const [[a], [b]] = [
      await outside.encoders.image!.encode([image]),
      await inside.encoders.image!.encode([image]),
    ];
    expect(largestDifference(a, b)).toBe(0);
  });

  it("may be one file for two graphs, which the pack has once", async () => {
    const folder = folderWithWeights({ [vision]: "model.data" });
    writeFileSync(join(folder, "onnx/vision_model_fp16.onnx"), readFileSync(join(folder, vision)));
    const manifest = await inspectFolder(folder, about);
    const { fp32, fp16 } = manifest.towers.image!.files;
    expect(fp32!.data).toEqual(fp16!.data);
    const paths = filesOf(manifest).map(({ path }) => path);
    expect(paths.filter((path) => path === "onnx/model.data")).toHaveLength(1);
  });

  it.each([
    ["is missing", "absent.bin", {}, "keeps its weights in onnx/absent.bin, which is missing"],
    ["is too short", "text_model.onnx", { length: "99999999" }, "needs 99999999"],
    ["lies above", "../config.json", {}, "not beside it"],
    ["lies far above", "../../../../etc/passwd", {}, "not beside it"],
    ["has an absolute path", "/etc/passwd", {}, "not beside it"],
    ["has a Windows path", "..\\config.json", {}, "not beside it"],
    ["is an address in memory", "*/_ORT_MEM_ADDR_/*", {}, "not beside it"],
    ["is the graph itself", "vision_model.onnx", {}, "not beside it"],
    ["has no name", "", {}, "not beside it"],
    ["has no place", "a.bin", { offset: "-9" }, "at no position"],
  ])("are refused when the file %s", async (_, location, more, message) => {
    const folder = folderWithGraph({ initializer: [tensorAt(location, more)] });
    await expect(inspectFolder(folder, about)).rejects.toMatchObject({
      code: "invalid_input",
      param: "folder",
      message: expect.stringContaining(message),
    });
  });
});

describe("a graph that does not fit its configuration", () => {
  const graphWith = (edit: (graph: onnxProto.onnx.IGraphProto) => void, path = vision) => {
    const folder = folderWith("tiny-clip");
    const model = ModelProto.decode(readFileSync(join(folder, path)));
    edit(model.graph!);
    writeFileSync(join(folder, path), ModelProto.encode(model).finish());
    return folder;
  };
  const dim = (value: onnxProto.onnx.IValueInfoProto, axis: number, dimValue: number) => {
    value.type!.tensorType!.shape!.dim![axis] = { dimValue };
  };
  const text = "onnx/text_model.onnx";

  it.each([
    ["takes batches of two", graphWith((g) => dim(g.input![0], 0, 2)), "batches of 2 only"],
    ["takes other pictures", graphWith((g) => dim(g.input![0], 2, 336)), "[batch, 3, 224, 224]"],
    ["takes one channel", graphWith((g) => dim(g.input![0], 1, 1)), "[batch, 3, 224, 224]"],
    ["gives other vectors", graphWith((g) => dim(g.output![0], 1, 64)), "has 64 numbers"],
    [
      "gives logits",
      graphWith((g) => (g.output![0].name = "logits")),
      'should give "image_embeds"',
    ],
    [
      "takes patches (NaFlex)",
      graphWith((g) => g.input!.push({ name: "pixel_attention_mask" })),
      "NaFlex",
    ],
    [
      "takes something else besides",
      graphWith((g) => g.input!.push({ name: "input_ids" })),
      'takes "pixel_values", "input_ids"',
    ],
    [
      "takes texts of one length",
      graphWith((g) => dim(g.input![0], 1, 16), text),
      "16 tokens long for every text",
    ],
    [
      "takes positions",
      graphWith((g) => g.input!.push({ name: "position_ids" }), text),
      '"position_ids" is not supported',
    ],
  ])("is refused when it %s", async (_, folder, message) => {
    await expect(inspectFolder(folder, about)).rejects.toMatchObject({
      code: "invalid_input",
      param: "folder",
      message: expect.stringContaining(message),
    });
  });
});
