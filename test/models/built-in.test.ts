import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { builtIns, findBuiltIn } from "../../src/models/built-in.js";
import { families } from "../../src/models/families/families.js";
import { installedIds } from "../../src/models/store.js";

const page = readFileSync(fileURLToPath(new URL("../../docs/models.md", import.meta.url)), "utf8");

describe("builtIns", () => {
  it("are the public models that are promised", () => {
    expect(builtIns().map(({ id }) => id)).toEqual([
      "clap-htsat-fused",
      "clap-htsat-unfused",
      "clip-vit-base-patch16",
      "clip-vit-base-patch32",
      "clip-vit-large-patch14",
      "larger_clap_general",
      "larger_clap_music",
      "larger_clap_music_and_speech",
      "siglip-base-patch16-224",
      "siglip2-base-patch16-224",
    ]);
  });

  it.each(builtIns())(
    "$id: its family is known, and docs/models.md tells where it comes from",
    ({ id, repo, original, family }) => {
      expect(families).toHaveProperty(family);
      const row = page.split("\n").find((line) => line.startsWith(`| \`${id}\``));
      expect(row).toContain(repo ?? "none known");
      expect(row).toContain(original);
    },
  );

  it("is not taken for an installed model", () => {
    expect(installedIds("/nowhere")).toEqual(["starter-clap", "starter-clip"]);
  });

  it("are found by id, repository and original checkpoint, in any case", () => {
    for (const name of [
      "clip-vit-base-patch32",
      "Xenova/clip-vit-base-patch32",
      "OpenAI/CLIP-ViT-base-patch32",
    ])
      expect(findBuiltIn(name)?.id).toBe("clip-vit-base-patch32");
    expect(findBuiltIn("owner/unknown")).toBeUndefined();
  });
});
