import { invalidInput } from "../errors.js";
import { InexactNumber } from "../json/json-number.js";
import { fieldPath, isPlainText, isScalar, isTime, timeExample } from "./filter.js";
import type { Item, ItemPatch } from "./item.js";
import type { CollectionSpec } from "./vector-store.js";

/**
 * float32 rounding of a normalised vector stays below 1e-6 up to 4,096 dimensions; an unnormalised
 * one is far beyond.
 */
const lengthTolerance = 1e-3;
const maxMetadataCharacters = 1_000_000;
/**
 * SQLite cannot read JSON deeper than 1,000 levels, and one such item would break every filter.
 */
const maxMetadataDepth = 100;

/**
 * Whether an item may enter a collection: only what this accepts reaches a driver.
 * @returns its metadata as JSON, undefined where it has none.
 * @throws AppError invalid_input or space_mismatch, naming the field at fault.
 */
export function checkItem(
  item: Item,
  collection: { space: string; dimensions: number },
): string | undefined {
  checkId(item.id);
  if (!["text", "image", "audio"].includes(item.modality)) {
    throw invalidInput(
      "modality",
      `Expected text, image or audio as modality but received ${JSON.stringify(item.modality)}`,
    );
  }
  checkEmbedding(item.embedding, collection.dimensions, "embedding");
  if (item.original !== undefined) {
    if (typeof item.original.space !== "string" || item.original.space === "") {
      throw invalidInput("original.space", "Expected the space of the original embedding");
    }
    checkEmbedding(item.original.embedding, undefined, "original.embedding");
  }
  for (const field of ["source", "contentHash"] as const) {
    const text = item[field];
    if (
      text !== undefined &&
      (typeof text !== "string" || text.length > 4096 || !isPlainText(text))
    ) {
      throw invalidInput(field, `Expected at most 4,096 characters of text for "${field}"`);
    }
  }
  if (item.text !== undefined && (typeof item.text !== "string" || !isPlainText(item.text)))
    throw invalidInput("text", "Expected text without U+0000 or unpaired surrogates");
  if (item.addedAt !== undefined && !isTime(item.addedAt)) {
    const message = `Expected ${timeExample} but received ${JSON.stringify(item.addedAt)}`;
    throw invalidInput("added_at", message);
  }
  return item.metadata === undefined ? undefined : checkMetadata(item.metadata);
}

function checkId(id: unknown): asserts id is string {
  if (typeof id !== "string" || id.length < 1 || id.length > 512 || !isPlainText(id)) {
    const received = typeof id === "string" ? `${id.length} characters` : typeof id;
    throw invalidInput("id", `Expected 1 to 512 characters of text as id but received ${received}`);
  }
  // URLs resolve these segments before they reach the server.
  if (id === "." || id === "..")
    throw invalidInput("id", `"${id}" cannot be an id: it cannot be part of a URL`);
}

/**
 * @throws AppError invalid_input unless the vector has the right size, finite numbers and length 1.
 */
export function checkEmbedding(
  embedding: unknown,
  dimensions: number | undefined,
  param: string,
): void {
  if (!(embedding instanceof Float32Array))
    throw invalidInput(param, `Expected a Float32Array for "${param}"`);
  if (dimensions !== undefined && embedding.length !== dimensions) {
    throw invalidInput(
      param,
      `Expected ${dimensions} numbers for "${param}" but received ${embedding.length} (is it ` +
        "from another model?)",
    );
  }
  let squares = 0;
  for (let i = 0; i < embedding.length; i++) squares += embedding[i] * embedding[i];
  if (!Number.isFinite(squares))
    throw invalidInput(
      param,
      `Expected finite numbers for "${param}" but received NaN or infinity`,
    );
  const length = Math.sqrt(squares);
  if (Math.abs(length - 1) > lengthTolerance) {
    throw invalidInput(
      param,
      `Expected a vector of length 1 for "${param}" but its length is ${length.toPrecision(4)}`,
    );
  }
}

/** @throws AppError invalid_input. */
export function checkSpec(spec: CollectionSpec): void {
  checkName(spec.name);
  if (typeof spec.space !== "string" || spec.space === "")
    throw invalidInput("space", "Expected the collection's space");
  if (!Number.isInteger(spec.dimensions) || spec.dimensions < 1 || spec.dimensions > 8192) {
    throw invalidInput(
      "dimensions",
      `Expected 1 to 8192 dimensions but received ${spec.dimensions}`,
    );
  }
  checkFields(spec.fields ?? []);
}

/** @throws AppError invalid_input. */
export function checkFields(fields: readonly string[]): void {
  if (fields.length > 32)
    throw invalidInput("fields", "Expected at most 32 declared metadata fields");
  for (const field of fields) fieldPath(field, "fields");
}

export function checkName(name: unknown, param = "name"): asserts name is string {
  if (typeof name !== "string" || !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)) {
    throw invalidInput(
      param,
      'Expected a collection name of 1 to 64 letters, digits, "_", "-" or "." but received ' +
        `${JSON.stringify(name)}`,
    );
  }
}

/**
 * @throws AppError invalid_input for values that JSON would drop or change: NaN, a date, a number
 *   that does not fit into a double.
 */
function checkJson(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (value instanceof InexactNumber) {
    const shown = value.text.length > 40 ? `${value.text.slice(0, 40)}…` : value.text;
    const message = `${shown} does not fit into a double exactly. Send it as a string`;
    throw invalidInput(path, `"${path}": ${message}`);
  }
  const isPlain =
    Array.isArray(value) ||
    (typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value)));
  if (!isPlain)
    throw invalidInput(path, `Expected JSON at "${path}" but received ${String(value)}`);
  if (depth > maxMetadataDepth) {
    throw invalidInput(
      "metadata",
      `Expected metadata of at most ${maxMetadataDepth} levels of nesting`,
    );
  }
  for (const [key, inner] of Object.entries(value as object)) {
    const at = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    if (inner !== undefined || Array.isArray(value)) checkJson(inner, at, depth + 1);
  }
}

/**
 * Whether a change of metadata says something, and only what can be stored.
 * @throws AppError invalid_input.
 */
export function checkPatch({ metadata, replace, add, remove }: Omit<ItemPatch, "id">): void {
  if (metadata !== undefined) checkMetadata(metadata);
  else if (replace) throw invalidInput("metadata", 'Expected "metadata" beside "replace"');
  else if (add === undefined && remove === undefined)
    throw invalidInput("metadata", 'Expected "metadata", "add" or "remove"');
  for (const [param, members] of Object.entries({ add, remove }))
    for (const [field, values] of Object.entries(members ?? {})) {
      fieldPath(field, param);
      if (!Array.isArray(values) || !values.every(isScalar)) {
        const message = "Expected an array of strings, numbers, booleans or nulls";
        throw invalidInput(`${param}.${field}`, `${message} as members of the list "${field}"`);
      }
    }
}

/** @returns the metadata as JSON. @throws AppError invalid_input. */
export function checkMetadata(metadata: unknown): string {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw invalidInput("metadata", "Expected a JSON object as metadata");
  }
  checkJson(metadata, "metadata", 1);
  let json: string;
  try {
    json = JSON.stringify(metadata);
  } catch (cause) {
    throw invalidInput("metadata", "Expected metadata that can be written as JSON", cause);
  }
  if (json.length > maxMetadataCharacters) {
    throw invalidInput(
      "metadata",
      `Expected at most ${maxMetadataCharacters} characters of metadata, received ${json.length}`,
    );
  }
  // JSON.stringify writes exactly these characters as \u0000 and \ud800 to \udfff; only then check
  // closely.
  if (/\\u(?:0000|d[89a-f])/.test(json)) {
    JSON.parse(json, (key, value: unknown) => {
      if (!isPlainText(key) || (typeof value === "string" && !isPlainText(value))) {
        throw invalidInput("metadata", "Expected metadata without U+0000 or unpaired surrogates");
      }
      return value;
    });
  }
  return json;
}
