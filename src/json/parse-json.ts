import { isUtf8 } from "node:buffer";
import { AppError } from "../errors.js";
import { JsonError } from "./json-limits.js";
import { JsonParser } from "./json-parser.js";
import { nextTurn, sliceMs } from "./next-turn.js";

export interface ParseJsonOptions {
  /** The field with the text, for messages; the body by default. */
  param?: string;
  /** The subject of messages, such as `Line 3`; by default from `param`. */
  name?: string;
  /**
   * Called as the memory of the values grows, with the bytes added since the last call. What it
   * throws ends the parsing.
   */
  onHeld?: (bytes: number) => void;
}

const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * The value of a JSON text, within the limits and by the rules of json-parser.ts. A large one is
 * parsed in slices, yielding to the event loop.
 *
 * @throws AppError `invalid_input` when it is empty, not UTF-8 or not JSON; `too_large` beyond a
 *   limit.
 */
export async function parseJsonBytes(
  bytes: Uint8Array,
  options: ParseJsonOptions = {},
): Promise<unknown> {
  const parser = parserOf(bytes, options);
  let reportedBytes = 0;
  for (let isDone = false; !isDone; ) {
    isDone = run(parser, performance.now() + sliceMs, options);
    options.onHeld?.(parser.heldBytes - reportedBytes);
    reportedBytes = parser.heldBytes;
    if (!isDone) await nextTurn();
  }
  return parser.value;
}

/** The same for a short text, in one go. */
export function parseJson(text: string, param?: string): unknown {
  const parser = parserOf(Buffer.from(text), { param });
  run(parser, Number.POSITIVE_INFINITY, { param });
  return parser.value;
}

function parserOf(bytes: Uint8Array, { param, name }: ParseJsonOptions): JsonParser {
  const subject = subjectOf(param, name);
  if (!isUtf8(bytes)) {
    throw new AppError("invalid_input", `${subject} is not valid UTF-8`, { param });
  }
  const hasMark = byteOrderMark.every((byte, i) => bytes[i] === byte);
  const text = hasMark ? bytes.subarray(3) : bytes;
  if (text.length === 0) {
    throw new AppError("invalid_input", `${subject} is empty; expected JSON`, { param });
  }
  return new JsonParser(text, param === "metadata");
}

function run(parser: JsonParser, until: number, { param, name }: ParseJsonOptions): boolean {
  try {
    return parser.run(until);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const subject = subjectOf(param, name);
    const { message, path, tooLarge } = error;
    if (tooLarge) throw new AppError("too_large", `${subject} ${message}`, { param });
    const at =
      param === undefined || path.startsWith("[")
        ? `${param ?? ""}${path}`
        : path && `${param}.${path}`;
    const where = at === "" || at === param ? "" : ` (at "${at}")`;
    const shown = `${subject} is not valid JSON: ${message}${where}`;
    throw new AppError("invalid_input", shown, { param: at || param, cause: error });
  }
}

const subjectOf = (param?: string, name?: string) =>
  name ?? (param === undefined ? "The body" : `"${param}"`);
