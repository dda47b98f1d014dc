import type { Embedding, Modality } from "../encoders/encoder.js";
import type { ErrorCode } from "../errors.js";
import type { Scalar } from "./filter.js";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | JsonValue[]
  | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** A named embedding with its metadata. */
export interface Item {
  /** Unique in its collection: 1 to 512 characters. Adding an id again replaces the item. */
  id: string;
  modality: Modality;
  /** The vector that is searched: unit length, in the collection's space. */
  embedding: Embedding;
  /** The vector before any head was applied, so that a new head never needs the media again. */
  original?: { space: string; embedding: Embedding };
  /** When left out, a replaced item keeps its own; a new one has none. */
  metadata?: JsonObject;
  /** The text of an item made from one. */
  text?: string;
  /** ISO 8601; by default now, or the time of a replaced item. */
  addedAt?: string;
  /** Where the media came from: a path or an address. */
  source?: string;
  /** Hash of the media, so that an unchanged file can be skipped. */
  contentHash?: string;
  /** A thumbnail or a picture of the waveform. Read back with `preview`. */
  preview?: Preview;
  /** The picture or sound it was made from, where the collection keeps those. */
  media?: MediaReference;
}

/** A file that is kept beside the store (src/kept-media), once for all items that refer to it. */
export interface MediaReference {
  /** Of its bytes, in hexadecimal. */
  sha256: string;
  bytes: number;
  mediaType: string;
}

export interface Preview {
  mediaType: string;
  bytes: Uint8Array;
}

/** An item returned by `get` and `scan`: with metadata, without its preview. */
export type StoredItem = Omit<Item, "preview"> & { metadata: JsonObject };

/** A metadata change of one item, without its vector. */
export interface ItemPatch {
  id: string;
  /** Merged into the item's metadata as in RFC 7396: null removes a key. */
  metadata?: JsonObject;
  /** Replaces the item's metadata instead. */
  replace?: boolean;
  /** Joins the lists, each value once; a missing list is made. */
  add?: ListMembers;
  /** Leaves the lists, before others join; a list that is then empty goes too. */
  remove?: ListMembers;
}

/** Values of lists in the metadata, by their fields (dot paths, as in a filter). */
export type ListMembers = Readonly<Record<string, readonly Scalar[]>>;

export type PatchStatus = "updated" | "unchanged" | "missing";
export type Failure = { code: ErrorCode; message: string; param?: string };

/** The outcome of one item of an `upsert`; a failed item never affects the others. */
export type ItemStatus =
  | { id: string; status: "stored"; replaced: boolean }
  | { id: string; status: "failed"; error: Failure };
/** The outcome of one item of a `patch`. */
export type ItemPatched =
  | { id: string; status: PatchStatus }
  | { id: string; status: "failed"; error: Failure };
