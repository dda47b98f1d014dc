import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.js";
import { packsOf } from "../../src/encoders/packs.js";
import { fakePack } from "../helpers/fake-packs.js";

describe("packsOf with aliases", () => {
  const pack = fakePack("small", 4);
  const packs = packsOf([pack], { "jina-clip-v1": "small", "openai/clip": "small" });

  it("finds a model by its id and by each of its aliases", () => {
    for (const name of ["small", "jina-clip-v1", "openai/clip"])
      expect(packs.find(name)).toBe(pack);
    expect(packs.aliasesOf("small")).toEqual(["jina-clip-v1", "openai/clip"]);
  });

  it("takes names of an object's own methods for unknown models", () => {
    expect(() => packs.find("constructor")).toThrow('No model "constructor" is loaded');
  });
});

describe("the option aliases", () => {
  const read = (text: string) => loadConfig({ environment: { CROSSMODAL_ALIASES: text } }).aliases;

  it("is name=model, comma-separated", () => {
    expect(read("jina-clip-v1=starter-clip, ViT-B-32__openai=starter-clip")).toEqual({
      "jina-clip-v1": "starter-clip",
      "ViT-B-32__openai": "starter-clip",
    });
  });

  it.each(["jina-clip-v1", "a=b=c", "a=", "=b"])("refuses %s", (text) => {
    expect(() => read(text)).toThrow("Expected name=model");
  });
});
