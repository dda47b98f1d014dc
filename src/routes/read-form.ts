import { Dicer } from "@fastify/busboy";
import { AppError, invalidInput } from "../errors.js";
import { type ParametrizedHeader, parametrized } from "./header-params.js";
import { joinChunks } from "./read-body.js";

/** A field's text, or a file's bytes. */
export type FormEntry = string | Uint8Array;

const limits = { maxParts: 10_000, maxHeaderPairs: 100, maxHeaderSize: 16 * 1024 };

/** RFC 2046, 5.1.1, allows 70 characters; Dicer takes so many. */
const maxBoundary = 252;

interface Part {
  headers: Record<string, string[]> | undefined;
  chunks: Uint8Array[];
  size: number;
}

/**
 * A multipart/form-data body (RFC 7578): its fields in order of their names, each with its
 * entries. Entries with a file name, or a type other than text and JSON, are files.
 *
 * @param contentType  of the request, with its boundary.
 * @throws AppError `invalid_input` when it is malformed, cut short or text that its charset does
 *   not allow; `unsupported_media` for an unknown charset or a transfer encoding; `too_large` for
 *   more than 10,000 parts.
 */
export async function readForm(
  body: AsyncIterable<Uint8Array>,
  contentType: ParametrizedHeader,
): Promise<Map<string, FormEntry[]>> {
  const boundary = contentType.params.get("boundary");
  if (boundary === undefined || boundary === "") {
    throw invalidInput("content-type", "Expected a boundary in the Content-Type of a form");
  }
  if (boundary.length > maxBoundary) {
    const message = `Expected a boundary of at most ${maxBoundary} characters`;
    throw invalidInput("content-type", `${message} but received ${boundary.length}`);
  }
  const parts = await split(body, boundary);
  const named = parts.map((part) => ({ ...part, ...dispositionOf(part) }));
  const charset = named.find(({ name }) => name === "_charset_");
  const defaultCharset = charset && Buffer.concat(charset.chunks).toString("latin1");
  const entries = new Map<string, FormEntry[]>();
  for (const part of named) {
    // RFC 7578, 4.6: the charset of the other fields. A form sends an empty file name when no file
    // was chosen.
    if (part === charset || (part.filename === "" && part.size === 0)) continue;
    const bytes = await joinChunks(part.chunks, part.size);
    const { name, filename, type } = part;
    const isText =
      filename === undefined && (type === undefined || /^text\/|[/+]json$/.test(type.value));
    const isJsonFile = type !== undefined && /[/+]json$/.test(type.value);
    const entry =
      isText || isJsonFile
        ? textOf(bytes, name, type?.params.get("charset") ?? defaultCharset)
        : bytes;
    const others = entries.get(name);
    if (others === undefined) entries.set(name, [entry]);
    else others.push(entry);
  }
  return entries;
}

async function split(body: AsyncIterable<Uint8Array>, boundary: string): Promise<Part[]> {
  const { maxParts, ...headerLimits } = limits;
  // Parts are collected whole: a part must not wait for a reader.
  const config = { boundary, ...headerLimits, partHwm: 2 ** 30 };
  const dicer = new Dicer(config);
  const parts: Part[] = [];
  const ends: Promise<void>[] = [];
  let failure: AppError | undefined;
  const malformed = (cause: Error) => {
    failure ??= new AppError("invalid_input", "The multipart body is malformed or cut short", {
      cause,
    });
  };
  dicer.on("part", (stream) => {
    if (parts.length === maxParts) {
      failure ??= new AppError("too_large", `The form has more than ${maxParts} parts`);
    }
    const part: Part = { headers: undefined, chunks: [], size: 0 };
    if (failure === undefined) parts.push(part);
    stream.on("header", (headers) => {
      part.headers = headers as Record<string, string[]>;
    });
    stream.on("data", (chunk: Uint8Array) => {
      if (failure !== undefined) return;
      part.chunks.push(chunk);
      part.size += chunk.length;
    });
    ends.push(new Promise((resolve) => stream.once("end", resolve)));
    stream.on("error", malformed);
  });
  const closed = new Promise<void>((resolve) => {
    dicer.once("finish", resolve);
    dicer.on("error", (error) => {
      malformed(error);
      resolve();
    });
  });
  for await (const chunk of body) {
    if (failure !== undefined) throw failure;
    await new Promise<void>((resolve) => dicer.write(chunk, () => resolve()));
  }
  dicer.end();
  await closed;
  if (failure !== undefined) throw failure;
  await Promise.all(ends);
  return parts;
}

interface Disposition {
  name: string;
  filename: string | undefined;
  type: ParametrizedHeader | undefined;
}

function dispositionOf({ headers }: Part): Disposition {
  const header = (name: string) => {
    const values = headers?.[name];
    // Header bytes are UTF-8 (RFC 7578, 5.1).
    return values && parametrized(Buffer.from(values[0], "latin1").toString("utf8"));
  };
  const disposition = header("content-disposition");
  const name = disposition?.params.get("name");
  if (disposition?.value !== "form-data" || name === undefined || name === "") {
    const message = "Expected a Content-Disposition with a name in every part of the form";
    throw invalidInput("content-disposition", message);
  }
  const encoding = headers?.["content-transfer-encoding"]?.[0].trim().toLowerCase() ?? "binary";
  if (!["7bit", "8bit", "binary"].includes(encoding)) {
    // Deprecated by RFC 7578, 4.7.
    const message =
      `Expected the plain bytes of "${name}" but received the Content-Transfer-Encoding ` +
      `"${encoding}"`;
    throw new AppError("unsupported_media", message, { param: name });
  }
  const { params } = disposition;
  const filename = params.get("filename") ?? params.get("filename*");
  return { name, filename, type: header("content-type") };
}

function textOf(bytes: Uint8Array, name: string, charset = "utf-8"): string {
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(charset.trim(), { fatal: true, ignoreBOM: true });
  } catch (cause) {
    const message = `The charset "${charset.slice(0, 40)}" of ` + `"${name}" is not supported`;
    throw new AppError("unsupported_media", message, { param: name, cause });
  }
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const message = `The bytes of "${name}" are not valid ${decoder.encoding}`;
    throw invalidInput(name, message, cause);
  }
}
