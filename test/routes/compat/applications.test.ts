import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, createApp } from "../../../src/app.js";
import type { Services } from "../../../src/services.js";
import { ask, dataUri, isSame, ownEmbedding } from "../../helpers/compat.js";
import { fixture, fixtureBase64, fixtureLabels } from "../../helpers/fixtures.js";
import { startApp } from "../../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  const aliases = { "ViT-B-32__openai": "starter-clip", laion_clap: "starter-clap" };
  const soundspanMusic = "fixtures/audio";
  ({ app, services } = await startApp({ aliases, soundspanMusic }));
});
afterAll(() => services.close());

const cat = dataUri("image/jpeg", fixtureBase64("images/cat.jpg"));
const crow = dataUri("audio/wav", fixtureBase64("audio/crow.wav"));
const clip = { model: "starter-clip" };
const clap = { model: "starter-clap" };

// immich-app/immich, server/src/repositories/machine-learning.repository.ts
describe("Immich", () => {
  const predict = async (entries: object, field: { image?: string; text?: string }, on = app) => {
    const form = new FormData();
    form.append("entries", JSON.stringify(entries));
    if (field.image !== undefined)
      form.append("image", new Blob([Uint8Array.from(fixture(field.image))]));
    if (field.text !== undefined) form.append("text", field.text);
    return on.request("/predict", { method: "POST", body: form });
  };
  const modelName = "ViT-B-32__openai";
  const visual = { clip: { visual: { modelName } } };
  const textual = { clip: { textual: { modelName, options: { language: "de" } } } };
  const faces = {
    "facial-recognition": {
      detection: { modelName: "buffalo_l", options: { minScore: 0.7 } },
      recognition: { modelName: "buffalo_l" },
    },
  };

  it("answers its ping and its greeting", async () => {
    expect(await (await app.request("/ping")).text()).toBe("pong");
    expect((await ask(app, "/compat/immich/")).body).toEqual({ message: "Immich ML" });
  });

  it("embeds a picture as a JSON text of as many numbers as the model's name implies", async () => {
    const response = await predict(visual, { image: "images/cat.jpg" });
    const body = (await response.json()) as { clip: string; imageWidth: number };
    const { width, height } = await sharp(fixture("images/cat.jpg")).metadata();
    expect(body).toMatchObject({ imageHeight: height, imageWidth: width });
    const numbers = JSON.parse(body.clip) as number[];
    expect(numbers.length).toBe(512);
    expect(numbers.slice(384)).toEqual(Array(128).fill(0));
    expect(isSame(numbers.slice(0, 384), await ownEmbedding(app, cat))).toBe(true);
  });

  it("gives the size of a picture as it is seen: turned as its EXIF says", async () => {
    const lying = await sharp(fixture("images/cat.jpg"))
      .resize(60, 40, { fit: "fill" })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const form = new FormData();
    form.append("entries", JSON.stringify(visual));
    form.append("image", new Blob([Uint8Array.from(lying)]));
    const response = await app.request("/predict", { method: "POST", body: form });
    expect(await response.json()).toMatchObject({ imageWidth: 40, imageHeight: 60 });
  });

  it("embeds a text in any language option", async () => {
    const body = (await (await predict(textual, { text: "a cat" })).json()) as { clip: string };
    expect(Object.keys(body)).toEqual(["clip"]);
    const numbers = JSON.parse(body.clip) as number[];
    expect(isSame(numbers.slice(0, 384), await ownEmbedding(app, "a cat", clip))).toBe(true);
  });

  it.each(["ViT-B-32::openai", "immich-app/ViT-B-32__openai"])(
    "knows a model by what Immich makes of its name: %s",
    async (name) => {
      const entries = { clip: { textual: { modelName: name } } };
      const body = (await (await predict(entries, { text: "a cat" })).json()) as { clip: string };
      expect((JSON.parse(body.clip) as number[]).length).toBe(512);
    },
  );

  it.each([
    ["bad entries", { nothing: 1 }, { text: "x" }, 422],
    ["neither field", textual, {}, 400],
    ["faces without an upstream", faces, { image: "images/cat.jpg" }, 501],
  ])("answers %s with the status Immich knows", async (_, entries, field, status) => {
    const response = await predict(entries, field);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ detail: expect.any(String) });
  });

  it("passes faces on to the upstream as they came, with the login of its address", async () => {
    const received: { url?: string; type?: string; login?: string; body: string }[] = [];
    const upstream: Server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      received.push({
        url: request.url,
        type: request.headers["content-type"],
        login: request.headers.authorization,
        body: Buffer.concat(chunks).toString("latin1"),
      });
      response.setHeader("content-type", "application/json");
      response.end('{"facial-recognition":[],"imageHeight":2,"imageWidth":3}');
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const { port } = upstream.address() as AddressInfo;
    const immichUpstream = `http://ada:p%40ss@127.0.0.1:${port}`;
    const passing = createApp({ ...services, config: { ...services.config, immichUpstream } });
    const response = await predict(faces, { image: "images/cat.jpg" }, passing);
    expect(await response.json()).toEqual({
      "facial-recognition": [],
      imageHeight: 2,
      imageWidth: 3,
    });
    const login = `Basic ${Buffer.from("ada:p@ss").toString("base64")}`;
    expect(received[0]).toMatchObject({ url: "/predict", login });
    expect(received[0].type).toMatch(/^multipart\/form-data; boundary=/);
    expect(received[0].body).toContain(JSON.stringify(faces));
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
    const gone = await predict(faces, { image: "images/cat.jpg" }, passing);
    expect(gone.status).toBe(502);
  });
});

// blakeblackshear/frigate at e3fa701, the llama.cpp provider
describe("Frigate", () => {
  it("finds the model, its modalities and its context", async () => {
    const { body } = await ask<{ data: object[] }>(app, "/v1/models");
    expect(body.data[0]).toMatchObject({
      id: "starter-clip",
      aliases: ["ViT-B-32__openai"],
      architecture: { input_modalities: ["text", "image"] },
      meta: { n_ctx: expect.any(Number) },
    });
    const props = await ask(app, "/props?model=starter-clip");
    expect(props.body).toMatchObject({
      media_marker: "<__media__>",
      modalities: { vision: true, audio: false },
      default_generation_settings: { n_ctx: expect.any(Number) },
    });
  });

  it("embeds texts and pictures", async () => {
    const picture = {
      prompt_string: "<__media__>\n",
      multimodal_data: [fixtureBase64("images/cat.jpg")],
    };
    const { body } = await ask<{ embedding: number[][] }[]>(app, "/embeddings", {
      ...clip,
      content: [{ prompt_string: "a cat" }, picture],
    });
    expect(isSame(body[0].embedding[0], await ownEmbedding(app, "a cat", clip))).toBe(true);
    expect(isSame(body[1].embedding[0], await ownEmbedding(app, cat))).toBe(true);
  });

  it("refuses files without markers in llama.cpp's form", async () => {
    const content = [{ prompt_string: "x", multimodal_data: [fixtureBase64("images/cat.jpg")] }];
    const { status, body } = await ask(app, "/embeddings", { ...clip, content });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 400, message: expect.any(String) } });
  });
});

// Measured with huggingface_hub 2.4.0 and @huggingface/inference 4.13.30
describe("Hugging Face", () => {
  const pictures = [...new Set(Object.values(fixtureLabels.images))];
  const sounds = [...new Set(Object.values(fixtureLabels.audio))];
  const best = async (path: string, body: unknown) =>
    (await ask<{ label: string }[]>(app, path, body)).body[0]?.label;
  const post = (path: string, file: string, headers: Record<string, string> = {}) =>
    app.request(path, { method: "POST", headers, body: Uint8Array.from(fixture(file)) });

  it("classifies a picture in the Python and in the JavaScript client's shape", async () => {
    const base64 = fixtureBase64("images/cat.jpg");
    const parameters = { candidate_labels: pictures, hypothesis_template: "a photo of a {}" };
    expect(await best("/hf/starter-clip", { inputs: base64, parameters })).toBe("cat");
    const inJs = { inputs: { image: base64 }, parameters: { candidate_labels: pictures } };
    expect(await best("/models/starter-clip", inJs)).toBe("cat");
    const path = "/pipeline/zero-shot-image-classification/starter-clip";
    expect(await best(path, { inputs: base64, parameters })).toBe("cat");
  });

  it("classifies a sound from base64, and from bytes with labels in the URL", async () => {
    const parameters = { candidate_labels: sounds };
    const inputs = fixtureBase64("audio/crow.wav");
    expect(await best("/hf/starter-clap", { inputs, parameters })).toBe("crow cawing");
    const query = `candidate_labels=${encodeURIComponent(sounds.join(","))}`;
    const types: Record<string, string>[] = [{}, { "content-type": "audio/wav" }];
    for (const headers of types) {
      const response = await post(`/hf/starter-clap?${query}`, "audio/crow.wav", headers);
      expect(((await response.json()) as { label: string }[])[0].label).toBe("crow cawing");
    }
  });

  it("classifies texts, and embeds texts and files", async () => {
    const parameters = { candidate_labels: "cat, rocket", multi_label: false };
    expect(await best("/hf/starter-clip", { inputs: "a small cat", parameters })).toBe("cat");
    const { body } = await ask<number[][]>(app, "/hf/starter-clip", { inputs: ["a cat"] });
    expect(isSame(body[0], await ownEmbedding(app, "a cat", clip))).toBe(true);
    const response = await post(
      "/models/starter-clip/pipeline/feature-extraction",
      "images/cat.jpg",
    );
    const [embedding] = (await response.json()) as number[][];
    expect(isSame(embedding, await ownEmbedding(app, cat))).toBe(true);
  });

  it("refuses bytes without labels with what would help", async () => {
    const response = await post("/hf/starter-clap", "audio/crow.wav");
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: string };
    expect(error).toContain("/hf/starter-clap?candidate_labels=");
  });
});

// weaviate/multi2vec-clip-inference at 1d91296
describe("Weaviate", () => {
  it("is live and ready", async () => {
    for (const path of ["/.well-known/live", "/.well-known/ready"])
      expect((await app.request(path)).status).toBe(204);
    expect((await ask<{ models: object[] }>(app, "/meta")).body.models.length).toBe(2);
  });

  it("vectorizes texts, pictures and sounds into one space", async () => {
    const { body } = await ask<Record<string, number[][]>>(app, "/vectorize", {
      texts: ["a cat"],
      images: [fixtureBase64("images/cat.jpg")],
      audio: [fixtureBase64("audio/crow.wav")],
    });
    expect(isSame(body.textVectors[0], await ownEmbedding(app, "a cat", clip))).toBe(true);
    expect(isSame(body.imageVectors[0], await ownEmbedding(app, cat))).toBe(true);
    expect(body.audioVectors[0].length).toBe(384);
    const alone = await ask<Record<string, number[][]>>(app, "/vectorize", {
      audio: [fixtureBase64("audio/crow.wav")],
    });
    expect(isSame(alone.body.audioVectors[0], body.audioVectors[0])).toBe(true);
  });

  it("answers errors in its own form", async () => {
    expect((await ask(app, "/vectorize", { texts: [""] })).status).toBe(200);
    const { status, body } = await ask(app, "/vectorize", { thermal: ["AAAA"] });
    expect(status).toBe(400);
    expect(body).toEqual({ error: expect.stringContaining("thermal") });
  });
});

// kserve/open-inference-protocol; Triton's binary extension
describe("KServe v2", () => {
  const bytesTensor = (elements: readonly Uint8Array[]) =>
    Buffer.concat(
      elements.flatMap((element) => {
        const length = Buffer.alloc(4);
        length.writeUInt32LE(element.length);
        return [length, Buffer.from(element)];
      }),
    );

  it("is live and ready, and describes its models", async () => {
    for (const path of [
      "/v2/health/live",
      "/v2/health/ready",
      "/v2/models/starter-clip/ready",
      "/v2/models/starter-clip/versions/1/ready",
    ])
      expect((await app.request(path)).status).toBe(200);
    const { body } = await ask(app, "/v2/models/starter-clip");
    expect(body).toMatchObject({
      name: "starter-clip",
      inputs: [
        { name: "text", datatype: "BYTES", shape: [-1] },
        { name: "image", datatype: "BYTES", shape: [-1] },
      ],
      outputs: [{ name: "embedding", datatype: "FP32", shape: [-1, 384] }],
    });
  });

  it("infers from JSON", async () => {
    const input = { name: "text", shape: [2, 1], datatype: "BYTES", data: [["a cat"], ["x"]] };
    const { body } = await ask<{ outputs: { shape: number[]; data: number[] }[] }>(
      app,
      "/v2/models/starter-clip/infer",
      { inputs: [input] },
    );
    const [{ shape, data }] = body.outputs;
    expect(shape).toEqual([2, 384]);
    expect(isSame(data.slice(0, 384), await ownEmbedding(app, "a cat"))).toBe(true);
  });

  it("infers from and to raw tensors", async () => {
    const tensor = bytesTensor([fixture("images/cat.jpg")]);
    const header = Buffer.from(
      JSON.stringify({
        inputs: [
          {
            name: "image",
            shape: [1],
            datatype: "BYTES",
            parameters: { binary_data_size: tensor.length },
          },
        ],
        outputs: [{ name: "embedding", parameters: { binary_data: true } }],
      }),
    );
    const infer = (length: string) =>
      app.request("/v2/models/starter-clip/infer", {
        method: "POST",
        headers: { "inference-header-content-length": length },
        body: Buffer.concat([header, tensor]),
      });
    const response = await infer(String(header.length));
    const bytes = Buffer.from(await response.arrayBuffer());
    const length = Number(response.headers.get("inference-header-content-length"));
    const { outputs } = JSON.parse(bytes.subarray(0, length).toString()) as {
      outputs: { parameters: { binary_data_size: number } }[];
    };
    expect(outputs[0].parameters.binary_data_size).toBe(bytes.length - length);
    const numbers = new Float32Array(Uint8Array.from(bytes.subarray(length)).buffer);
    expect(isSame(numbers, await ownEmbedding(app, cat))).toBe(true);
    for (const wrong of ["-1", "1e9", "99999999", "x"]) {
      const refused = await infer(wrong);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toEqual({ error: expect.any(String) });
    }
  });

  it("refuses tensors that are not as long as they say", async () => {
    for (const data of [["a"], []]) {
      const input = { name: "text", shape: [2], datatype: "BYTES", data };
      const path = "/v2/models/starter-clip/infer";
      const { status, body } = await ask(app, path, { inputs: [input] });
      expect(status).toBe(400);
      expect(body).toEqual({ error: expect.any(String) });
    }
  });
});

describe("small services", () => {
  it("encodes Freesound's texts", async () => {
    const { body } = await ask<{ result: { embeddings: Record<string, number[]> } }>(
      app,
      "/encode_text/?input=rain&model=laion_clap",
    );
    expect(body).toMatchObject({ error: false });
    const own = await ownEmbedding(app, "rain", clap);
    expect(isSame(body.result.embeddings.laion_clap, own)).toBe(true);
    const failed = await ask(app, "/encode_text/?model=laion_clap");
    expect(failed).toMatchObject({ status: 400, body: { error: true } });
  });

  // soundspan/soundspan at 067bb4a, wire-contract v1 of its provider and of its client
  it("embeds soundspan's texts and tracks, and names its space", async () => {
    const { body } = await ask<{ vector: number[] }>(app, "/v1/embed/text", { text: "rain" });
    expect(Object.keys(body)).toEqual(["vector"]);
    expect(isSame(body.vector, await ownEmbedding(app, "rain", clap))).toBe(true);
    const track = await ask<{ vector: number[] }>(app, "/v1/embed/audio", {
      trackRef: "crow.wav",
    });
    expect(isSame(track.body.vector, await ownEmbedding(app, crow))).toBe(true);
    const space = await ask(app, "/v1/space");
    expect(space.body).toEqual({
      family: "clap",
      checkpointHash: services.packs.find("starter-clap").space,
      dim: 384,
      sampleRateHz: expect.any(Number),
      preprocessing: expect.objectContaining({ windowSeconds: expect.any(Number) }),
      revision: expect.any(String),
      textTower: true,
    });
  });

  it.each([
    ["a track outside the folder", "../images/cat.jpg", 404],
    ["a track that is not there", "none.wav", 404],
    ["what is not a sound", "", 400],
  ])("refuses %s in soundspan's form", async (_, trackRef, status) => {
    const answer = await ask(app, "/v1/embed/audio", { trackRef });
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error: expect.not.stringContaining(process.cwd()) });
  });

  // photoprism/photoprism at b731d949, internal/ai/vision: ApiRequest as Go writes it, ApiResponse
  it("labels PhotoPrism's pictures", async () => {
    const labels = encodeURIComponent("cat,rocket,temple");
    const path = `/api/v1/vision/labels?candidate_labels=${labels}`;
    const sent = { id: "x", model: "starter-clip", suffix: "", stream: false };
    const { body } = await ask<{ result: { labels: object[] } }>(app, path, {
      ...sent,
      images: [cat],
    });
    expect(body).toEqual({
      id: "x",
      code: 200,
      model: {
        type: "labels",
        name: "starter-clip",
        version: expect.any(String),
        resolution: expect.any(Number),
      },
      result: { labels: expect.any(Array) },
    });
    expect(body.result.labels[0]).toEqual({
      name: "cat",
      source: "image",
      priority: 0,
      confidence: expect.any(Number),
      topicality: expect.any(Number),
      categories: [],
    });
    for (const wrong of [sent, { ...sent, images: [cat], url: "https://x.example/cat.jpg" }]) {
      const failed = await ask(app, path, wrong);
      expect(failed.body).toEqual({ code: 400, error: expect.stringContaining('"images"') });
    }
  });

  // roboflow/inference, requests/clip.py; inference-sdk 1.8.3, post_processing.py
  it("embeds and compares for Roboflow's SDK", async () => {
    const value = fixtureBase64("images/cat.jpg");
    const image = { type: "base64", value };
    const { body } = await ask<{ embeddings: number[][] }>(app, "/clip/embed_image", {
      api_key: "none",
      image,
    });
    const time = expect.any(Number);
    expect(body).toEqual({ frame_id: expect.any(String), embeddings: [expect.any(Array)], time });
    expect(isSame(body.embeddings[0], await ownEmbedding(app, cat))).toBe(true);
    const compared = await ask<{ similarity: Record<string, number> }>(app, "/clip/compare", {
      subject: image,
      subject_type: "image",
      prompt: { a: "a photo of a cat", b: "a photo of a rocket" },
      prompt_type: "text",
    });
    const { a, b } = compared.body.similarity;
    expect(a).toBeGreaterThan(b);
  });

  it("chooses for Label Studio", async () => {
    expect((await ask(app, "/compat/label-studio/health")).body).toMatchObject({ status: "UP" });
    const label_config =
      '<View><Image name="img" value="$image"/><Choices name="kind" toName="img">' +
      '<Choice value="cat"/><Choice value="rocket"/></Choices></View>';
    const tasks = [{ id: 1, data: { image: cat } }];
    const { body } = await ask<{ results: { result: object[] }[] }>(app, "/predict", {
      tasks,
      project: "1.2",
      label_config,
      params: {},
    });
    expect(body.results[0].result[0]).toMatchObject({
      from_name: "kind",
      to_name: "img",
      type: "choices",
      value: { choices: ["cat"] },
    });
    const failed = await ask(app, "/predict", { tasks, label_config: "<View/>" });
    expect(failed.status).toBe(400);
  });

  // HumanSignal/label-studio, label_studio/ml/api_connector.py: train()
  it("tells Label Studio that annotations train nothing, and takes its other events", async () => {
    const annotations = { annotations: [{}], project: "1.2", label_config: "<View/>", params: {} };
    for (const [path, body] of [
      ["/train", annotations],
      ["/webhook", annotations],
      ["/webhook", { action: "START_TRAINING", project: {} }],
    ] as const) {
      const { status, body: answer } = await ask(app, path, body);
      expect([path, status]).toEqual([path, 409]);
      expect(answer).toEqual({ error: expect.stringContaining("few-shot head") });
    }
    const taken = await ask(app, "/webhook", { action: "ANNOTATION_CREATED", task: {} });
    expect(taken).toEqual({ status: 201, body: {} });
    const setup = await ask(app, "/setup", { project: "1.2", schema: "<View/>", hostname: "" });
    expect(setup.body).toEqual({ model_version: expect.stringContaining("starter-clip@") });
  });
});
