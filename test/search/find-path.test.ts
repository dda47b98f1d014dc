import { describe, expect, it } from "vitest";
import type { Encoder, Modality } from "../../src/encoders/encoder.js";
import type { ProjectionHead } from "../../src/encoders/head.js";
import type { LoadedPack } from "../../src/encoders/load.js";
import type { Bridge } from "../../src/heads/bridge-version.js";
import { embedAlong } from "../../src/search/embed-along.js";
import { findPath } from "../../src/search/find-path.js";

/** A pack whose towers give [1, 0] for everything. */
function pack(id: string, ...modalities: Modality[]): LoadedPack {
  const space = `${id}@1`;
  const encoder = (modality: Modality): Encoder => ({
    modality,
    modelId: id,
    space,
    dimensions: 2,
    encode: async (inputs) => inputs.map(() => Float32Array.of(1, 0)),
    dispose: async () => {},
  });
  const encoders = Object.fromEntries(modalities.map((modality) => [modality, encoder(modality)]));
  const pack = { manifest: { id } as never, loadedAt: 0, space, encoders, towers: [] };
  return { ...pack, isPinned: () => false, troubles: () => [], dispose: async () => {} };
}

/** Turns [1, 0] into [0, 1]. */
function bridge(from: string, to: string, version = 1): Bridge {
  const layer = {
    weight: Float32Array.of(0, 1, 1, 0),
    bias: new Float32Array(2),
    dimensionsIn: 2,
    dimensionsOut: 2,
  };
  const head: ProjectionHead = { kind: "linear", layers: [layer] };
  return {
    name: `${from}-to-${to}`,
    version,
    fromSpace: `${from}@1`,
    toSpace: `${to}@1`,
    head,
    shipped: false,
  };
}

const clip = pack("clip", "text", "image");
const clap = pack("clap", "text", "audio");
const photos = { name: "photos", space: "clip@1", model: "clip" };

describe("findPath", () => {
  it("takes the collection's own model where it understands the modality", () => {
    const parts = { packs: [clap, clip], bridges: [bridge("clap", "clip")] };
    expect(findPath(parts, "text", photos)).toMatchObject({
      steps: ["clip/text"],
      projections: [],
    });
    expect(findPath(parts, "image", photos).steps).toEqual(["clip/image"]);
  });

  it("takes another model and a bridge where it does not, and says which version", async () => {
    const path = findPath(
      { packs: [clip, clap], bridges: [bridge("clap", "clip", 3)] },
      "audio",
      photos,
    );
    expect(path.steps).toEqual(["clap/audio", "bridge/clap-to-clip@3"]);
    const sound = { sampleRateHz: 1, samples: new Float32Array(1) };
    expect(await embedAlong(path, [sound])).toEqual([
      {
        embedding: Float32Array.of(0, 1),
        original: { space: "clap@1", embedding: Float32Array.of(1, 0) },
      },
    ]);
  });

  it("reaches a collection whose own model is not loaded over a bridge into its space", () => {
    const path = findPath({ packs: [clap], bridges: [bridge("clap", "clip")] }, "text", photos);
    expect(path.steps).toEqual(["clap/text", "bridge/clap-to-clip@1"]);
  });

  it("does not go against a bridge, nor over two", () => {
    const parts = {
      packs: [clip, clap],
      bridges: [bridge("clip", "clap"), bridge("clap", "other")],
    };
    expect(() => findPath(parts, "audio", photos)).toThrow(
      expect.objectContaining({ code: "no_path" }),
    );
    const other = { name: "other", space: "other@1" };
    expect(() => findPath(parts, "image", other)).toThrow(
      expect.objectContaining({ code: "no_path" }),
    );
  });

  it("says which bridge would help", () => {
    const parts = { packs: [clip, clap], bridges: [] };
    expect(() => findPath(parts, "audio", photos)).toThrow(
      /No path from audio .*"photos".* bridge from "clap" to "clip"/,
    );
  });

  it("says that no loaded model understands the modality", () => {
    const parts = { packs: [clip], bridges: [bridge("clap", "clip")] };
    expect(() => findPath(parts, "audio", photos)).toThrow(/no loaded model understands audio/);
  });

  it("calls a space that nothing loaded embeds into a mismatch, naming both", () => {
    const old = { name: "photos", space: "clip@0", model: "clip" };
    const attempt = () =>
      findPath({ packs: [clip, clap], bridges: [bridge("clap", "clip")] }, "text", old);
    expect(attempt).toThrow(expect.objectContaining({ code: "space_mismatch", param: "text" }));
    expect(attempt).toThrow(/"clip@0".*clip@1, clap@1/);
  });
});
