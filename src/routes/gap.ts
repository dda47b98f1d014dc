import { Hono } from "hono";
import { accepts } from "hono/accepts";
import { z } from "zod";
import { AppError } from "../errors.js";
import { readNpy } from "../math/npy.js";
import { gapPage } from "../training/gap-page.js";
import { gapSvg } from "../training/gap-svg.js";
import type { GapReport, GapRequest } from "../training/measure-gap.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

type Side = GapRequest["a"];

/** What the route needs: functions, not the classes behind them. */
export interface GapServices {
  measure(request: GapRequest, signal?: AbortSignal): Promise<GapReport>;
  /** Two modalities of a collection; in pairs by a metadata field where `pairBy` is given. */
  readCollection?(name: string, pairBy: string | undefined, signal?: AbortSignal): Promise<GapRequest>;
}

/** Largest report: 100,000 rows of 1,024 numbers a side take 800 MB. */
const mostRows = 100_000;
const mostDimensions = 4096;

const Embeddings = z.strictObject({
  modality: z.enum(["text", "image", "audio"]).optional(),
  embeddings: z.array(z.array(z.number()).min(1)).min(1),
});
const GapBody = z.strictObject({
  a: z.custom<unknown>().optional(),
  b: z.custom<unknown>().optional(),
  a_modality: z.enum(["text", "image", "audio"]).optional(),
  b_modality: z.enum(["text", "image", "audio"]).optional(),
  paired: z.preprocess(
    (value) => (value === "true" ? true : value === "false" ? false : value),
    z.boolean().optional(),
  ),
  seed: z.coerce.number().int().min(0).max(0xffffffff).optional(),
  collection: z.string().min(1).optional(),
  pair_by: z.string().min(1).optional(),
});

/** `POST /v1/modality-gap`: embeddings as JSON or .npy files, or a collection -> the report as JSON, SVG or HTML. */
export function gapRoutes({ measure, readCollection }: GapServices) {
  return new Hono<RequestVariables>().post("/v1/modality-gap", async (c) => {
    const body = await readRequest(c, GapBody, { json: ["a", "b", "paired", "seed"] });
    const signal = c.get("signal");
    let request: GapRequest;
    if (body.collection !== undefined) {
      if (body.a !== undefined || body.b !== undefined) {
        throw new AppError("invalid_input", 'Expected "collection" or "a" and "b", not both', { param: "collection" });
      }
      if (readCollection === undefined) {
        throw new AppError("not_found", "This server keeps no collections", { param: "collection" });
      }
      request = { ...(await readCollection(body.collection, body.pair_by, signal)), seed: body.seed };
    } else {
      const a = readSide(body.a, "a", body.a_modality ?? "image");
      const b = readSide(body.b, "b", body.b_modality ?? "text");
      // Without a word about it, sides of the same size are taken for pairs: that is what almost every caller sends.
      const paired = body.paired ?? rows(a) === rows(b);
      request = { a, b, paired, seed: body.seed };
    }
    const report = await measure(request, signal);
    const type = accepts(c, {
      header: "Accept",
      supports: ["application/json", "image/svg+xml", "text/html"],
      default: "application/json",
    });
    if (type === "text/html") return c.html(gapPage(report));
    if (type === "image/svg+xml")
      return c.body(gapSvg(report), 200, { "content-type": "image/svg+xml; charset=utf-8" });
    return c.json(report);
  });
}

const rows = ({ values, dimensions }: Side) => values.length / dimensions;

function readSide(value: unknown, name: "a" | "b", modality: string): Side {
  const param = `${name}.embeddings`;
  function fail(at: string, message: string): never {
    throw new AppError("invalid_input", message, { param: at });
  }
  if (value === undefined) fail(name, `"${name}" is missing; expected embeddings, a .npy file, or "collection"`);
  if (value instanceof Uint8Array) {
    const { shape, data } = readNpy(value, name);
    if (shape.length !== 2 || shape[0] === 0 || shape[1] === 0) {
      fail(name, `Expected an array of rows for "${name}" but received the shape (${shape.join(", ")})`);
    }
    checkSize(shape[0], shape[1], name);
    return { modality, values: data instanceof Float32Array ? data : Float32Array.from(data), dimensions: shape[1] };
  }
  const parsed = Embeddings.safeParse(value);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    const [field, row] = path;
    let at: string = name;
    if (field !== undefined) at += `.${String(field)}`;
    if (row !== undefined) at += `[${String(row)}]`;
    return fail(at, `${message} (at "${at}")`);
  }
  const side = parsed.data;
  const dimensions = side.embeddings[0].length;
  checkSize(side.embeddings.length, dimensions, param);
  const values = new Float32Array(side.embeddings.length * dimensions);
  for (const [i, row] of side.embeddings.entries()) {
    if (row.length !== dimensions) {
      const message = `Expected ${dimensions} numbers for "${param}[${i}]", as the first row has, but received ${row.length}`;
      fail(`${param}[${i}]`, message);
    }
    values.set(row, i * dimensions);
  }
  return { modality: side.modality ?? modality, values, dimensions };

  function checkSize(count: number, width: number, at: string) {
    if (count > mostRows || width > mostDimensions) {
      const message = `Expected at most ${mostRows} rows of ${mostDimensions} numbers for "${at}" but received ${count} of ${width}`;
      throw new AppError("too_large", message, { param: at });
    }
  }
}
