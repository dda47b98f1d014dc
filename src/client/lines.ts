import { ConnectionError } from "./errors.js";

/** The lines of an answer as they come, without their ends. @throws ConnectionError. */
export async function* linesOf({ body }: Response, signal?: AbortSignal): AsyncGenerator<string> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const stop = () => void reader.cancel().catch(() => undefined);
  signal?.addEventListener("abort", stop, { once: true });
  let parts: string[] = [];
  try {
    while (true) {
      const { done, value } = await reader.read().catch((error: Error) => {
        signal?.throwIfAborted();
        throw new ConnectionError(`The answer broke off (${error.message})`, { cause: error });
      });
      signal?.throwIfAborted();
      if (done) break;
      const [first, ...more] = decoder.decode(value, { stream: true }).split("\n");
      parts.push(first);
      for (const next of more) {
        yield withoutReturn(parts.join(""));
        parts = [next];
      }
    }
    const rest = parts.join("") + decoder.decode();
    if (rest !== "") yield withoutReturn(rest);
  } finally {
    signal?.removeEventListener("abort", stop);
    await reader.cancel().catch(() => undefined); // of a reader that stopped before the end
  }
}

const withoutReturn = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);

/**
 * The values of an answer in NDJSON as they come.
 * @throws ConnectionError when one is no JSON, as of a stream that was cut.
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
