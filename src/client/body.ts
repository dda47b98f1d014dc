/** A file to send. A stream is read to its end first, unless it is the whole body of a request. */
export type Upload = Blob | Uint8Array | ArrayBuffer | ReadableStream<Uint8Array>;

/** What `fetch` takes as a body. */
export type RequestBody = NonNullable<RequestInit["body"]>;

/** A request of the wire, where files and vectors may be given in any of their forms. */
export type WithUploads<T> = T extends Uint8Array
  ? Upload
  : T extends readonly number[]
    ? readonly number[] | Float32Array | Float64Array
    : T extends readonly (infer Entry)[]
      ? readonly WithUploads<Entry>[]
      : T extends object
        ? { [K in keyof T]: WithUploads<T[K]> }
        : T;

const isUpload = (value: unknown): value is Upload =>
  value instanceof Blob ||
  value instanceof Uint8Array ||
  value instanceof ArrayBuffer ||
  value instanceof ReadableStream;

/**
 * A request as JSON; as a form when a field is a file, whose bytes are then sent unchanged. Nested
 * files become base64, and so do all files of a request with a null, which a form cannot express.
 */
export async function bodyOf(request: object): Promise<{ body: RequestBody; type?: string }> {
  const values = Object.values(request);
  const hasFile = values.some((value) => [value].flat().some(isUpload));
  if (hasFile && !values.includes(null)) return { body: await formOf(request) };
  return { body: JSON.stringify(await inlined(request)), type: "application/json" };
}

/** A field for each key: a file, a text, or JSON. */
export async function formOf(request: object): Promise<FormData> {
  const fields = Object.entries(request).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  const form = new FormData();
  for (const [name, value] of fields) {
    const entries: unknown[] = Array.isArray(value) && value.some(isUpload) ? value : [value];
    for (const entry of entries) {
      if (isUpload(entry)) form.append(name, await blobOf(entry), fileName(entry));
      else
        form.append(name, typeof entry === "string" ? entry : JSON.stringify(await inlined(entry)));
    }
  }
  return form;
}

/** A part without a file name would be read as text. */
const fileName = (upload: Upload) =>
  ("name" in upload && typeof upload.name === "string" && upload.name) || "file";

async function blobOf(upload: Upload): Promise<Blob> {
  if (upload instanceof Blob) return upload;
  if (upload instanceof ReadableStream) return new Response(upload).blob();
  return new Blob([upload as Uint8Array<ArrayBuffer> | ArrayBuffer]);
}

/** The same value with files as base64 and vectors as numbers, as JSON has them. */
export async function inlined(value: unknown): Promise<unknown> {
  if (isUpload(value)) return base64Of(await blobOf(value));
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
  if (Array.isArray(value)) {
    const isPlain = typeof value[0] === "number"; // a vector, or a great many of them
    return isPlain ? value : Promise.all(value.map(inlined));
  }
  if (typeof value !== "object" || value === null || "toJSON" in value) return value;
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await inlined(inner)]);
  return Object.fromEntries(await Promise.all(entries));
}

/** `btoa` takes a character for each byte, and a call takes only some ten thousand arguments. */
async function base64Of(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const chunk = 3 * 8192; // a multiple of three: the parts can be concatenated
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += chunk)
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + chunk))));
  return parts.join("");
}
