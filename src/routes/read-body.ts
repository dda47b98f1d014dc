import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import { AppError, invalidInput } from "../errors.js";
import { turnClock } from "../json/next-turn.js";
import type { BodyShare } from "../media/body-budget.js";
import { arrivingBody } from "./arriving-body.js";
import type { withinRequest } from "./note-clients.js";

const decompressors = { gzip: "gzip", "x-gzip": "gzip", deflate: "deflate" } as const;

/** For a route used without `limitBody`, in tests. */
const defaultMaxBytes = 64 * 2 ** 20;
const maxBytesOf = (c: Context): number =>
  (c.get("maxBodyBytes") as number | undefined) ?? defaultMaxBytes;

/** Lines of texts or vectors grow tenfold; ten megabytes of gzip can hold ten billion lines. */
const maxGrowth = 100;

/**
 * The body as a stream, decompressed.
 * @throws AppError `unsupported_media` for a Content-Encoding other than gzip and deflate; the
 *   stream breaks off with `invalid_input` when the body does not match its encoding, and with
 *   `too_large` beyond `maxBodyBytes` when it grows more than a hundredfold.
 */
export function bodyStream(c: Context): ReadableStream<Uint8Array> | null {
  const body = plainBody(c);
  const encoding = (c.req.header("content-encoding") ?? "").trim().toLowerCase();
  if (body === null || encoding === "" || encoding === "identity") return body;
  if (!Object.hasOwn(decompressors, encoding)) {
    c.header("Accept-Encoding", "gzip, deflate"); // RFC 7694
    const message = `Expected gzip, deflate or no Content-Encoding but received "${encoding}"`;
    throw new AppError("unsupported_media", message, { param: "content-encoding" });
  }
  const format = decompressors[encoding as keyof typeof decompressors];
  let packedBytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      packedBytes += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const plain = body
    .pipeThrough(counter)
    .pipeThrough(new DecompressionStream(format) as TransformStream<Uint8Array, Uint8Array>);
  const limit = () => Math.max(maxBytesOf(c), maxGrowth * packedBytes);
  const bounded = boundedGrowth(namingDamage(plain, encoding), limit);
  return ReadableStream.from(bounded) as ReadableStream<Uint8Array>;
}

function plainBody(c: Context): ReadableStream<Uint8Array> | null {
  const { incoming, isWithin } = (c.env ?? {}) as Partial<
    typeof withinRequest & { incoming: IncomingMessage }
  >;
  if (incoming === undefined || isWithin) return c.req.raw.body;
  const isInChunks = c.req.header("transfer-encoding") !== undefined;
  return isInChunks ? arrivingBody(incoming) : c.req.raw.body;
}

/** The whole body, decompressed, and bounded while it arrives. */
export async function readBody(c: Context): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of boundedBody(c)) {
    chunks.push(chunk);
    size += chunk.length;
  }
  return joinChunks(chunks, size);
}

/**
 * @throws AppError `too_large` as soon as the body is known to be larger than `maxBodyBytes`,
 *   `overloaded` when too much is already held, `too_slow` when it hardly arrives.
 */
export async function* boundedBody(c: Context): AsyncGenerator<Uint8Array> {
  const maxBytes = maxBytesOf(c);
  const share = c.get("bodyShare") as BodyShare | undefined;
  const tooLarge = () =>
    new AppError(
      "too_large",
      `The request body is larger than ${maxBytes} bytes (option maxBodyBytes)`,
    );
  const announced = Number(c.req.header("content-length") ?? 0);
  if (announced > maxBytes) throw tooLarge();
  if (announced > 0) share?.expect(announced);
  const body = bodyStream(c);
  if (body === null) return;
  let size = 0;
  let parts: Uint8Array[] = [];
  let partsFrom = 0;
  for await (const chunk of untilGone(atPace(body, c.get("requestTimeoutMs")))) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    share?.add(chunk.length);
    parts.push(chunk);
    // A byte in an array of its own takes a hundred, and a packet may bring no more than that
    if (size - partsFrom < 2 ** 14 && parts.length < 1000) continue;
    yield await joinChunks(parts, size - partsFrom);
    parts = [];
    partsFrom = size;
  }
  if (parts.length > 0) yield await joinChunks(parts, size - partsFrom);
}

/**
 * In each half minute a body must bring ten kilobytes, and a twentieth of what has arrived: the
 * more memory it holds, the less it may dawdle. The windows are long, as a connection that is sound
 * may be dead for many seconds, when a phone changes cells.
 */
const pace = { everyMs: 30_000, bytes: 10_000, share: 1 / 20 };

/** Ten seconds of a steady pace must do for a window, to the end of the longest request. */
const shareWithin = (requestTimeoutMs: number) => Math.min(pace.share, 10_000 / requestTimeoutMs);

/** @throws AppError `too_slow` for a body that lags behind. */
async function* atPace(
  body: ReadableStream<Uint8Array>,
  requestTimeoutMs = 0,
): AsyncGenerator<Uint8Array> {
  const share = shareWithin(requestTimeoutMs);
  const reader = body.getReader();
  let isWaiting = false;
  let size = 0;
  let sizeBefore = 0;
  let slow: AppError | undefined;
  const look = () => {
    const expected = Math.max(pace.bytes, share * size);
    const came = size - sizeBefore;
    sizeBefore = size;
    if (!isWaiting || came >= expected) return;
    const message =
      `Expected ${Math.ceil(expected)} bytes of the body in ${pace.everyMs / 1000} s but ` +
      `received ${came}`;
    slow = new AppError("too_slow", message);
    void reader.cancel(slow).catch(() => undefined);
  };
  const timer = setInterval(look, pace.everyMs).unref();
  try {
    while (true) {
      isWaiting = true;
      const { done, value } = await reader.read();
      isWaiting = false;
      if (slow !== undefined) throw slow;
      if (done) return;
      size += value.length;
      yield value;
    }
  } finally {
    clearInterval(timer);
    await reader.cancel().catch(() => undefined);
  }
}

/** A body whose connection breaks off is not the server's fault, and nobody reads the answer. */
async function* untilGone(body: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("cancelled", "The client closed the connection", { cause });
  }
}

/** Chunks as one array; megabytes are copied in turns. */
export async function joinChunks(chunks: Uint8Array[], size: number): Promise<Uint8Array> {
  if (chunks.length === 1) return chunks[0];
  const clock = turnClock();
  const joined = Buffer.allocUnsafe(size);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
    if (clock.isUp()) await clock.next();
  }
  return joined;
}

async function* boundedGrowth(plain: AsyncIterable<Uint8Array>, limit: () => number) {
  let size = 0;
  for await (const chunk of plain) {
    size += chunk.length;
    if (size > limit()) {
      const message = `The body grows more than ${maxGrowth} times when it is decompressed`;
      throw new AppError("too_large", message, { param: "content-encoding" });
    }
    yield chunk;
  }
}

async function* namingDamage(plain: ReadableStream<Uint8Array>, encoding: string) {
  try {
    yield* plain;
  } catch (error) {
    if (error instanceof AppError || (error as Error).name === "AbortError") throw error;
    const message = `The body is not ${encoding}, as its Content-Encoding says, or it is cut short`;
    throw invalidInput("content-encoding", message, error);
  }
}
