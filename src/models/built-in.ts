import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** Shipped packs, and the built-in manifests of others. */
export const shippedModels = fileURLToPath(new URL("../../models", import.meta.url));

const repo = z.string().regex(/^[\w.-]+\/[\w.-]+$/);

/**
 * `models/<id>/hub.json`, a built-in manifest without weights: where a public model is on the hub,
 * and what its files there do not contain. Everything else (sizes, hashes, constants, tokenizer) is
 * read from those files when they are pulled.
 */
export const BuiltIn = z.strictObject({
  /**
   * Repository with ONNX graphs; null when no public one is known, so that the user must name one.
   */
  repo: repo.nullable(),
  /** Branch, tag or commit that is pulled when none is given. */
  revision: z.string().min(1).default("main"),
  /** The checkpoint the graphs were exported from; the model may be pulled by this name too. */
  original: repo,
  family: z.string().min(1),
  modalities: z.array(z.enum(["text", "image", "audio"])).min(1),
  dimensions: z.int().positive(),
  license: z.string().min(1),
  logit: z.strictObject({
    /** Published value of the multiplier itself, and of the bias. */
    scale: z.number().positive().optional(),
    bias: z.number().optional(),
    /**
     * Revision of `original` whose model.safetensors holds them; asked first, the published value
     * is the fallback.
     */
    checkpointRevision: z.string().optional(),
    /** Where the published value was found. */
    source: z.string().min(1),
  }),
  /**
   * Normalisation of texts, for a tokenizer_config.json whose tokenizer differs from the
   * training's.
   */
  canonicalize: z.enum(["none", "siglip", "lower"]).optional(),
  /** Of accuracy; docs/models.md has the tables. */
  about: z.string().min(1),
});
export type BuiltIn = z.infer<typeof BuiltIn> & { id: string };

/** All built-in manifests by id, sorted. */
export function builtIns(): BuiltIn[] {
  return readdirSync(shippedModels)
    .filter((id) => existsSync(join(shippedModels, id, "hub.json")))
    .sort()
    .map((id) => ({
      id,
      ...BuiltIn.parse(JSON.parse(readFileSync(join(shippedModels, id, "hub.json"), "utf8"))),
    }));
}

/** The built-in of that id, repository or original checkpoint; undefined when there is none. */
export function findBuiltIn(name: string): BuiltIn | undefined {
  const all = builtIns();
  const same = (other: string | null) => other?.toLowerCase() === name.toLowerCase();
  return (
    all.find(({ id }) => same(id)) ?? all.find((model) => same(model.repo) || same(model.original))
  );
}
