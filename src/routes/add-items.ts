import { type Context, Hono } from "hono";
import { type AddStatus, addItems, type Incoming, refuseIfAway } from "../collections/add-items.js";
import { AppError } from "../errors.js";
import { turnClock } from "../json/next-turn.js";
import type { Cost } from "../media/budget.js";
import type { DecodeLimits } from "../media/decoded-bytes.js";
import type { Turn } from "../media/turn.js";
import { inBulk } from "../priority.js";
import type { Services } from "../services.js";
import {
  AddItemsBody,
  ItemBody,
  type ItemStatus,
  ItemStatuses,
  LineStatus,
  StoredItem,
} from "../wire/items.js";
import { parseWith } from "../wire/parse-with.js";
import { bodyErrors, describe, inferenceErrors, json, storeErrors } from "./describe.js";
import { errorBody } from "./error-response.js";
import { type MediaReader, mediaReader, newItem } from "./item-body.js";
import { costOfMedia } from "./media-cost.js";
import { isNdjson, type Line, ndjsonType, readLines, regroup } from "./ndjson.js";
import { bodyStream } from "./read-body.js";
import { checkUtf8, contentTypeOf } from "./read-json.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";
import { streamAnswer } from "./stream-answer.js";
import { StreamGuard } from "./stream-guard.js";

const itemFields = ["embedding", "original", "metadata"];

/** Items of a JSON body that are prepared together. */
const itemsAtOnce = 64;

/**
 * Statuses buffered for a client that does not read them: some 50,000 items. Many HTTP clients send
 * a whole body before they read the answer; beyond this they must read too.
 */
const statusBytesAhead = 4 * 2 ** 20;

const addOperation = describe({
  id: "addItems",
  tag: "Items",
  summary: "Adds items: one as a form or JSON, many as JSON, any number as a stream of lines",
  description:
    "The answer to one item is that stored item (201), to several the status of each, to NDJSON " +
    "a line for each as it is stored. Read the lines while you send.",
  body: {
    "application/json": AddItemsBody,
    "multipart/form-data": ItemBody,
    [ndjsonType]: ItemBody,
  },
  answers: {
    200: { content: { "application/json": ItemStatuses, [ndjsonType]: LineStatus } },
    201: { content: json(StoredItem) },
  },
  errors: [...bodyErrors, ...inferenceErrors, ...storeErrors],
});

/**
 * `POST /v1/collections/{name}/items`: one item as a form, many as JSON, any number as a stream of
 * lines.
 */
export function addItemsRoute(services: Services) {
  return new Hono<RequestVariables>().post(
    "/v1/collections/:name/items",
    addOperation,
    async (c) => {
      const name = c.req.param("name");
      const type = contentTypeOf(c);
      if (type !== undefined && isNdjson(type.value)) {
        checkUtf8(type.params);
        return addStream(c, services, name);
      }
      const { store, budget, config, fetchMedia } = services;
      budget.refuseWhenFull();
      const signal = c.get("signal");
      const readerOf = mediaReader(fetchMedia, signal);
      const addOne = async (body: ItemBody) => {
        const { space } = await store.stats(name);
        const item = newItem(body, readerOf);
        const cost = costOfItem(body, config);
        const add = (turn: Turn) => {
          const groups = groupsOf([body], () => item);
          return statusesOf(addItems({ ...services, turn }, name, groups, { signal }));
        };
        const [status] = await inBulk(() => budget.request([cost], signal, add));
        if (status.status === "failed") throw status.error;
        return c.json({ ...status, space } satisfies StoredItem, 201);
      };
      if (type?.value === "multipart/form-data")
        return addOne(await readRequest(c, ItemBody, { json: itemFields }));
      const body = await readRequest(c, AddItemsBody);
      if (!("items" in body)) return addOne(body);
      const { items } = body;
      await store.stats(name);
      const costs = function* () {
        for (const item of items) yield costOfItem(item, config);
      };
      const add = (turn: Turn) => {
        const groups = groupsOf(items, (item) => incomingOf(item, readerOf));
        return statusesOf(addItems({ ...services, turn }, name, groups, { signal }));
      };
      const statuses = await inBulk(() => budget.request(costs(), signal, add));
      refuseIfAway(statuses);
      const stored = statuses.filter(({ status }) => status === "stored").length;
      const counts = JSON.stringify({ stored, failed: statuses.length - stored }).slice(1);
      const answer = `{"statuses":[${await jsonOf(statuses)}],${counts}`;
      return c.body(answer, 200, { "content-type": "application/json" });
    },
  );
}

/** The cost of what may not be a valid item: then that of its refusal. */
function costOfItem(item: unknown, limits: DecodeLimits): Cost {
  const fields = (item ?? {}) as Partial<Record<"image" | "audio", unknown>>;
  for (const modality of ["image", "audio"] as const) {
    const field = fields[modality];
    if (typeof field === "string" || field instanceof Uint8Array)
      return costOfMedia(field, modality, limits);
  }
  return { inputs: 1 };
}

/** Lines in, one status per line out, both at the pace of the slower side. */
async function addStream(
  c: Context<RequestVariables>,
  services: Services,
  name: string,
): Promise<Response> {
  const { store, budget, config, log, stopping } = services;
  await store.stats(name); // 404 before the stream starts
  const body = bodyStream(c);
  const client = c.req.raw.signal;
  const guard = new StreamGuard({ client, stopping, idleMs: config.requestTimeoutMs });
  const readerOf = mediaReader(services.fetchMedia, guard.gone);
  const parts = { ...services, turn: budget.bulk(guard.gone) };
  const share = services.bodies.stream();
  const linesUnderWay: Pick<Line, "number" | "bytes">[] = [];
  const start = performance.now();
  const counts = { stored: 0, failed: 0 };

  const groups = async function* (): AsyncGenerator<Incoming[]> {
    const lines = readLines(body, {
      maxBytes: config.maxBodyBytes,
      signal: guard.ending,
      room: {
        take: (bytes) => guard.during(share.take(bytes, guard.ending)),
        give: (bytes) => share.give(bytes),
      },
    });
    for await (const group of regroup(itemLines(lines, readerOf, () => guard.moved()))) {
      linesUnderWay.push(...group.map(({ number, bytes }) => ({ number, bytes })));
      yield group.map(({ incoming }) => incoming);
    }
  };
  const answer = async function* (): AsyncGenerator<string> {
    try {
      const during = <T>(work: Promise<T>) => guard.during(services.activity.during(work));
      for await (const statuses of addItems(parts, name, groups(), {
        signal: guard.gone,
        during,
      })) {
        for (const { status } of statuses) counts[status]++;
        const lines = statuses.map((status) => {
          const { number: line, bytes } = linesUnderWay.shift()!;
          share.give(bytes);
          const answer = statusAnswer(status);
          const lineAnswer: LineStatus = answer.status === "failed" ? { ...answer, line } : answer;
          return JSON.stringify(lineAnswer);
        });
        yield `${lines.join("\n")}\n`;
      }
    } catch (error) {
      // Lines after the last status were not added: the server is stopping, or the stream was idle
      // too long.
      if (!(error instanceof AppError) || guard.gone.aborted) throw error;
      const status: LineStatus = { id: null, status: "failed", error: errorBody(error) };
      yield `${JSON.stringify(status)}\n`;
    } finally {
      share.release();
      log.info(
        { collection: name, ...counts, ms: Math.round(performance.now() - start) },
        "items added",
      );
    }
  };
  const headers = { "content-type": ndjsonType };
  return streamAnswer(c, answer(), { guard, log, headers, aheadBytes: statusBytesAhead });
}

/** Lines as items, as soon as they are read: their text is not kept. */
async function* itemLines(
  source: AsyncGenerator<Line[]>,
  readerOf: MediaReader,
  onEach: () => void,
): AsyncGenerator<ItemLine[]> {
  for await (const lines of source) {
    onEach();
    yield lines.map(({ number, bytes, value, error }) => ({
      number,
      bytes,
      incoming: error === undefined ? incomingOf(value, readerOf) : { error },
    }));
  }
}
interface ItemLine extends Pick<Line, "number" | "bytes"> {
  incoming: Incoming;
}

function incomingOf(value: unknown, readerOf: MediaReader): Incoming {
  try {
    return newItem(parseWith(ItemBody, value), readerOf);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { id } = (value ?? {}) as { id?: unknown };
    return { id: typeof id === "string" ? id : undefined, error };
  }
}

function statusAnswer(status: AddStatus): ItemStatus {
  return status.status === "failed" ? { ...status, error: errorBody(status.error) } : status;
}

async function* groupsOf<T>(
  items: readonly T[],
  incoming: (item: T) => Incoming,
): AsyncGenerator<Incoming[]> {
  for (let from = 0; from < items.length; from += itemsAtOnce) {
    yield items.slice(from, from + itemsAtOnce).map(incoming);
  }
}

/** Statuses as JSON, in turns: there may be a hundred thousand. */
async function jsonOf(statuses: readonly AddStatus[]): Promise<string> {
  const clock = turnClock();
  const parts: string[] = [];
  for (const status of statuses) {
    parts.push(JSON.stringify(statusAnswer(status)));
    if (clock.isUp()) await clock.next();
  }
  return parts.join();
}

async function statusesOf(groups: AsyncGenerator<AddStatus[]>): Promise<AddStatus[]> {
  const statuses: AddStatus[] = [];
  for await (const group of groups) statuses.push(...group);
  return statuses;
}
