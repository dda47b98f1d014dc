import type { Context } from "hono";
import { AppError, invalidInput } from "../errors.js";
import { turnClock } from "../json/next-turn.js";
import type { BodyShare } from "../media/body-budget.js";

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
  const { body } = c.req.raw;
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
 *   `overloaded` when too much is already held.
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
  if (announced > 0) share?.add(announced);
  const body = bodyStream(c);
  if (body === null) return;
  let size = 0;
  for await (const chunk of untilGone(body)) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    share?.add(Math.max(0, Math.min(chunk.length, size - announced)));
    yield chunk;
  }
}

/** A body whose connection breaks off is not the server's fault, and nobody reads the answer. */
async function* untilGone(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
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
