import { ConnectionError } from "./errors.js";

/** The bytes of an answer as they come. @throws ConnectionError when it breaks off. */
export async function* chunksOf(
  { body }: Response,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch(() => undefined);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    while (true) {
      const { done, value } = await reader.read().catch((error: Error) => {
        signal?.throwIfAborted();
        throw new ConnectionError(`The answer broke off (${error.message})`, { cause: error });
      });
      signal?.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    await reader.cancel().catch(() => undefined); // of a reader that stopped before the end
  }
}

/** The lines of an answer as they come, without their ends. @throws as `chunksOf`. */
export async function* linesOf(response: Response, signal?: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  for await (const chunk of chunksOf(response, signal)) {
    const [first, ...more] = decoder.decode(chunk, { stream: true }).split("\n");
    parts.push(first);
    for (const next of more) {
      yield withoutReturn(parts.join(""));
      parts = [next];
    }
  }
  const rest = parts.join("") + decoder.decode();
  if (rest !== "") yield withoutReturn(rest);
}

const withoutReturn = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);

/**
 * The values of an answer in NDJSON as they come.
 * @throws ConnectionError also when a line is not JSON, as when a stream was cut.
 */
export async function* valuesOf<T>(response: Response, signal?: AbortSignal): AsyncGenerator<T> {
  for await (const line of linesOf(response, signal)) {
    if (line.trim() === "") continue;
    let value: T;
    try {
      value = JSON.parse(line) as T;
    } catch {
      throw new ConnectionError(`Expected NDJSON but received ${line.slice(0, 80)}`);
    }
    yield value;
  }
}
