import type { Embedding, Modality } from "../encoders/encoder.js";
import type { ErrorCode } from "../errors.js";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | JsonValue[]
  | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** A named embedding with what is known about it. */
export interface Item {
  /** Unique in its collection: 1 to 512 characters. Adding an id again replaces the item. */
  id: string;
  modality: Modality;
  /** The vector that is searched: unit length, in the collection's space. */
  embedding: Embedding;
  /** The vector before any head was applied, so that a new head never needs the media again. */
  original?: { space: string; embedding: Embedding };
  /** Left out, an item that is replaced keeps its own; a new one has none. */
  metadata?: JsonObject;
  /** Of an item made from a text. */
  text?: string;
  /** ISO 8601; by default now, or what an item that is replaced has. */
  addedAt?: string;
  /** Where the media came from: a path or an address. */
  source?: string;
  /** Hash of the media, so that an unchanged file can be skipped. */
  contentHash?: string;
  /** A thumbnail or a picture of the waveform. Read back with `preview`. */
  preview?: Preview;
}

export interface Preview {
  mediaType: string;
  bytes: Uint8Array;
}

/** An item as `get` and `scan` give it: without its preview, with its metadata. */
export type StoredItem = Omit<Item, "preview"> & { metadata: JsonObject };

/** Metadata of one item that change without its vector. */
export interface ItemPatch {
  id: string;
  /** Merged into what the item has, as RFC 7396: null takes a key away. */
  metadata: JsonObject;
  /** Takes the place of what the item has instead. */
  replace?: boolean;
}
export type PatchStatus = "updated" | "unchanged" | "missing";
export type Failure = { code: ErrorCode; message: string; param?: string };

/** What became of one item of an `upsert`; a failed item never holds back the others. */
export type ItemStatus =
  | { id: string; status: "stored"; replaced: boolean }
  | { id: string; status: "failed"; error: Failure };
/** What became of one item of a `patch`. */
export type ItemPatched =
  | { id: string; status: PatchStatus }
  | { id: string; status: "failed"; error: Failure };
