import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { AppError, invalidInput } from "../errors.js";
import { checkedJson, damaged, readCheckedJson } from "../files/checked-json.js";
import { localFolder, type StateFolder } from "../files/state-folder.js";
import { lockProcesses } from "../index/embedded/process-lock.js";

/** What a key may do; each includes those before it. */
export const scopes = ["read", "write", "admin"] as const;
export type Scope = (typeof scopes)[number];

const StoredKey = z.strictObject({
  id: z.string().regex(/^[a-z2-7]{8}$/),
  /** The owner: for people, in lists and in the log. */
  name: z.string().min(1).max(100),
  scope: z.enum(scopes),
  /** sha256 of the secret part, hexadecimal. A random secret of 256 bits needs no slow hash. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().optional(),
  revoked_at: z.iso.datetime().optional(),
  requests_per_minute: z.int().positive().optional(),
});
export type StoredKey = z.infer<typeof StoredKey>;
const KeyFile = z.strictObject({ keys: z.array(StoredKey).max(10_000) });

const keyFile = "keys.json";
type KeyPlace = Pick<StateFolder, "path">;
export const keyFilePath = ({ path }: KeyPlace) => join(path, keyFile);
/** Exists from the first key on. */
const lockPath = (files: KeyPlace) => `${keyFilePath(files)}.lock`;

/** Whether keys were ever created in a folder. */
export const hadKeys = (files: KeyPlace) =>
  existsSync(keyFilePath(files)) || existsSync(lockPath(files));

/** The data folder, for its keys. It is changed by one process at a time: no key gets lost. */
export function keyFolder(dataDir: string): StateFolder {
  const folder = localFolder(dataDir);
  const { change } = folder;
  folder.change = async (work) => {
    const unlock = await lockProcesses(lockPath(folder));
    try {
      return await change(work);
    } finally {
      unlock();
    }
  };
  return folder;
}

/**
 * The keys in a folder, revoked ones included; none where none was ever created.
 * @throws AppError `storage_corrupt` when the file is damaged or gone: no key is valid then.
 */
export async function readKeys(files: KeyPlace): Promise<StoredKey[]> {
  if (!hadKeys(files)) return [];
  const path = keyFilePath(files);
  if (!existsSync(path)) {
    const advice = `put it back, or delete "${lockPath(files)}" to start without keys`;
    throw damaged(path, `it is missing: ${advice}`);
  }
  const result = KeyFile.safeParse(await readCheckedJson(path));
  if (!result.success) throw damaged(path, z.prettifyError(result.error));
  return result.data.keys;
}

export interface NewKey {
  name: string;
  scope: Scope;
  expiresAt?: Date;
  requestsPerMinute?: number;
}

/**
 * Creates a key. Only its hash is kept: the returned secret cannot be shown again.
 * @returns the key as a client sends it, `cm_<id>_<secret>`.
 */
export async function createKey(files: StateFolder, wanted: NewKey): Promise<string> {
  const id = base32(randomBytes(5));
  const secret = randomBytes(32).toString("base64url");
  const key = StoredKey.safeParse({
    id,
    name: wanted.name,
    scope: wanted.scope,
    hash: hashOf(secret),
    created_at: new Date().toISOString(),
    expires_at: wanted.expiresAt?.toISOString(),
    requests_per_minute: wanted.requestsPerMinute,
  });
  if (!key.success) {
    const [{ path, message }] = key.error.issues;
    throw invalidInput(path.join("."), message);
  }
  await change(files, (keys) => [...keys, key.data]);
  return `cm_${id}_${secret}`;
}

/**
 * A revoked key stays in the list, so that the log's ids keep their names.
 * @throws AppError `not_found`.
 */
export async function revokeKey(files: StateFolder, id: string): Promise<StoredKey> {
  const message = `There is no key "${id}" in ${keyFilePath(files)}`;
  const missing = new AppError("not_found", message, { param: "id" });
  if (!hadKeys(files)) throw missing; // an empty file of keys would let nobody in
  const revoked_at = new Date().toISOString();
  const keys = await change(files, (before) => {
    if (before.every((key) => key.id !== id)) throw missing;
    return before.map((key) => (key.id === id ? { revoked_at, ...key } : key));
  });
  return keys.find((key) => key.id === id) as StoredKey;
}

async function change(
  files: StateFolder,
  edit: (keys: readonly StoredKey[]) => StoredKey[],
): Promise<StoredKey[]> {
  const isFirst = !hadKeys(files);
  return files.change(async (changes) => {
    const isNew = isFirst && !existsSync(keyFilePath(files));
    const keys = edit(isNew ? [] : await readKeys(files));
    await changes.write(keyFile, checkedJson({ keys }), { mode: 0o600 });
    return keys;
  });
}

export const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");

/** RFC 4648, in lower case, without padding: 5 bytes are 8 characters. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{5}/g) ?? [];
  return groups
    .map((five) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(five, 2)])
    .join("");
}
