import { Hono } from "hono";
import { accepts } from "hono/accepts";
import { z } from "zod";
import type { CollectionSides, GapChoice } from "../collections/gap-sides.js";
import { invalidInput } from "../errors.js";
import { rowCount } from "../math/rows.js";
import type { MediaBudget } from "../media/budget.js";
import { gapPage } from "../reports/gap-page.js";
import { gapSvg } from "../reports/gap-svg.js";
import type { GapReport, GapRequest } from "../training/measure-gap.js";
import type { ReportedHubs } from "../training/pair-cosines.js";
import { Bytes } from "../wire/field-types.js";
import { GapAnswer, GapBody, GapSide } from "../wire/gap.js";
import { parseBody } from "../wire/parse-with.js";
import { bodyErrors, describe, json, storeErrors, text } from "./describe.js";
import { readRequest } from "./read-request.js";
import { readRows } from "./read-rows.js";
import type { RequestVariables } from "./request-context.js";

type Side = GapRequest["a"];

/** The route's dependencies: functions, not the classes behind them. */
export interface GapServices {
  measure(request: GapRequest, signal?: AbortSignal): Promise<GapReport>;
  /** Two modalities of a collection (see gap-sides.ts). */
  readCollection(name: string, choice: GapChoice, signal?: AbortSignal): Promise<CollectionSides>;
  /** Bytes of a collection's vectors. */
  bytesOf(collection: string): Promise<number>;
  budget: MediaBudget;
}

const gapOperation = describe({
  id: "modalityGap",
  tag: "Inference",
  summary: "How far apart two modalities are",
  description:
    "Sides a and b as embeddings in JSON or as .npy files of a form, or two modalities of a " +
    "collection. Accept chooses JSON, SVG or HTML.",
  body: {
    "application/json": GapBody.extend({ a: GapSide.optional(), b: GapSide.optional() }),
    "multipart/form-data": GapBody.extend({ a: Bytes.optional(), b: Bytes.optional() }),
  },
  answers: { 200: { content: { ...json(GapAnswer), ...text("image/svg+xml", "text/html") } } },
  errors: [...bodyErrors, ...storeErrors, "inference_failed"],
});

/**
 * `POST /v1/modality-gap`: embeddings as JSON or .npy files, or a collection -> the report as JSON,
 * SVG or HTML.
 */
export function gapRoutes({ measure, readCollection, bytesOf, budget }: GapServices) {
  return new Hono<RequestVariables>().post("/v1/modality-gap", gapOperation, async (c) => {
    budget.refuseWhenFull();
    const body = await readRequest(c, GapBody, { json: ["a", "b", "paired", "seed"] });
    const signal = c.get("signal");
    const { collection, seed } = body;
    const sides = collection === undefined ? await sidesOf(body) : undefined;
    if (collection !== undefined && (body.a !== undefined || body.b !== undefined)) {
      throw invalidInput("collection", 'Expected "collection" or "a" and "b", not both');
    }
    const bytes =
      sides === undefined
        ? await bytesOf(collection!)
        : sides.a.values.byteLength + sides.b.values.byteLength;
    const report = await budget.request([{ inputs: 1, decodedBytes: bytes }], signal, (turn) =>
      turn.reserve(bytes, async () => {
        const { a_modality: first, b_modality: second, pair_by: pairBy } = body;
        const modalities = first && second && [first, second];
        if (sides !== undefined) return measure({ ...sides, seed }, signal);
        const choice = { pairBy, modalities };
        const { request, ids } = await readCollection(collection!, choice, signal);
        return withIds(await measure({ ...request, seed }, signal), ids);
      }),
    );
    const type = accepts(c, {
      header: "Accept",
      supports: ["application/json", "image/svg+xml", "text/html"],
      default: "application/json",
    });
    if (type === "text/html") return c.html(gapPage(report));
    if (type === "image/svg+xml")
      return c.body(gapSvg(report), 200, { "content-type": "image/svg+xml; charset=utf-8" });
    return c.json(report satisfies GapAnswer);
  });
}

/** The report with hubs by their ids: the rows of a collection are nobody's. */
function withIds(report: GapReport, ids: CollectionSides["ids"]): GapReport {
  if (report.hubs === null) return report;
  const { a_to_b, b_to_a } = report.hubs;
  const named = (hubs: ReportedHubs, side: readonly string[]) => ({
    ...hubs,
    items: hubs.items.map(({ row, share }) => ({ id: side[row as number], share })),
  });
  return { ...report, hubs: { a_to_b: named(a_to_b, ids.b), b_to_a: named(b_to_a, ids.a) } };
}

/**
 * Embeddings in the request. Sides of equal size count as pairs, which most callers send.
 */
async function sidesOf(body: GapBody): Promise<Omit<GapRequest, "seed">> {
  const a = await readSide(body.a, "a", body.a_modality ?? "image");
  const b = await readSide(body.b, "b", body.b_modality ?? "text");
  return { a, b, paired: body.paired ?? rowCount(a) === rowCount(b) };
}

async function readSide(value: unknown, name: "a" | "b", modality: string): Promise<Side> {
  if (value === undefined) {
    const message = `"${name}" is missing; expected embeddings, a .npy file, or "collection"`;
    throw invalidInput(name, message);
  }
  if (value instanceof Uint8Array) return { modality, ...readRows(value, name) };
  const side = (await parseBody(z.object({ [name]: GapSide }), { [name]: value }))[name];
  return {
    modality: side.modality ?? modality,
    ...readRows(side.embeddings, `${name}.embeddings`),
  };
}
