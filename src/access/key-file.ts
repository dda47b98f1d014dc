import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { AppError, invalidInput } from "../errors.js";
import { checkedJson, damaged, readCheckedJson } from "../files/checked-json.js";
import { writeDurably } from "../files/write-durably.js";
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

export const keyFilePath = (dataDir: string) => join(dataDir, "keys.json");
/** There from the first key on. */
const lockPath = (dataDir: string) => `${keyFilePath(dataDir)}.lock`;

/** Whether keys were ever created in a data folder. */
export const hadKeys = (dataDir: string) =>
  existsSync(keyFilePath(dataDir)) || existsSync(lockPath(dataDir));

/**
 * The keys of a data folder, revoked ones included; none where none was ever created.
 * @throws AppError `storage_corrupt` when the file is damaged or gone: no key is valid then.
 */
export async function readKeys(dataDir: string): Promise<StoredKey[]> {
  if (!hadKeys(dataDir)) return [];
  const path = keyFilePath(dataDir);
  if (!existsSync(path)) {
    const advice = `put it back, or delete "${lockPath(dataDir)}" to begin without keys`;
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
export async function createKey(dataDir: string, wanted: NewKey): Promise<string> {
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
  await change(dataDir, (keys) => [...keys, key.data]);
  return `cm_${id}_${secret}`;
}

/**
 * A revoked key stays in the list, so that the log's ids keep their names.
 * @throws AppError `not_found`.
 */
export async function revokeKey(dataDir: string, id: string): Promise<StoredKey> {
  const revoked: StoredKey[] = [];
  await change(dataDir, (keys) =>
    keys.map((key) => {
      if (key.id !== id) return key;
      const found = { ...key, revoked_at: key.revoked_at ?? new Date().toISOString() };
      revoked.push(found);
      return found;
    }),
  );
  if (revoked.length > 0) return revoked[0];
  throw new AppError("not_found", `There is no key "${id}" in ${keyFilePath(dataDir)}`, {
    param: "id",
  });
}

/** One at a time, across processes: two keys made at once are both kept. */
async function change(
  dataDir: string,
  edit: (keys: readonly StoredKey[]) => StoredKey[],
): Promise<void> {
  const isFirst = !hadKeys(dataDir);
  const unlock = await lockProcesses(lockPath(dataDir));
  try {
    const isNew = isFirst && !existsSync(keyFilePath(dataDir));
    const keys = edit(isNew ? [] : await readKeys(dataDir));
    await writeDurably(keyFilePath(dataDir), checkedJson({ keys }), { mode: 0o600 });
  } finally {
    unlock();
  }
}

export const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");

/** RFC 4648, in lower case, without padding: 5 bytes are 8 characters. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const fives = bits.match(/.{5}/g) ?? [];
  return fives.map((five) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(five, 2)]).join("");
}
