import { z } from "zod";

/** `GET /`: name, version and links of the server. */
export const ServerAnswer = z.object({
  name: z.literal("crossmodal"),
  version: z.string(),
  models: z.array(z.string()),
  links: z.record(z.string(), z.string()),
});
export type ServerAnswer = z.infer<typeof ServerAnswer>;

export const Live = z.object({ status: z.literal("live") });
export type Live = z.infer<typeof Live>;

const DatabaseAnswer = z.object({
  /** `standby` where one answers and no primary does. */
  role: z.enum(["primary", "standby", "away"]),
  /** Databases that follow the primary; absent where the database's user may not see them. */
  standbys: z.number().optional(),
  /** Those that a commit may wait for. */
  synchronous: z.number().optional(),
  /** Of the standby furthest behind: how much later it applies changes, in seconds. */
  lag_seconds: z.number().optional(),
  /** Of the standby furthest behind: what it has not applied yet, in bytes. */
  lag_bytes: z.number().optional(),
});
export type DatabaseAnswer = z.infer<typeof DatabaseAnswer>;

export const Ready = z.object({
  status: z.enum(["starting", "ready", "failed", "stopping", "degraded"]),
  /** What is being restarted. */
  reasons: z.array(z.string()).optional(),
  /** Why nothing can be stored at the moment, e.g. a full disk; searches still work. */
  cannot_write: z.string().optional(),
  /** Why lines of the audit file go to the server's log instead; everything else works. */
  cannot_audit: z.string().optional(),
  /** Why media that collections keep are missing here; everything else works. */
  missing_media: z.string().optional(),
  /** Where collections are in a database. */
  database: DatabaseAnswer.optional(),
});
export type Ready = z.infer<typeof Ready>;

/** The result of reading the configuration again: names of options. */
export const ReloadAnswer = z.object({
  changed: z.array(z.string()),
  needs_restart: z.array(z.string()),
  models: z.object({ loaded: z.array(z.string()), unloaded: z.array(z.string()) }),
});
export type ReloadAnswer = z.infer<typeof ReloadAnswer>;

/** What the sender of this request may do. */
export const AccessAnswer = z.object({
  /** The key that it came with; null where the server needs none. */
  key: z
    .object({
      /** As `crossmodal keys list` shows it; `configured` for a key of the option `apiKeys`. */
      id: z.string(),
      name: z.string(),
      /** Null where it does not expire. */
      expires_at: z.string().nullable(),
    })
    .nullable(),
  /** All that it may use; each includes those before it. */
  scopes: z.array(z.enum(["read", "write", "admin"])),
});
export type AccessAnswer = z.infer<typeof AccessAnswer>;

/** Who asked lately, the one seen last first. */
export const ClientList = z.object({
  /** What `requests` and `errors` count over, the current minute included. */
  window_minutes: z.int(),
  data: z.array(
    z.object({
      /** The API key that it came with; null where none is needed, or it was not a right one. */
      key: z.object({ id: z.string(), name: z.string() }).nullable(),
      /** That it had last; behind a trusted proxy the client's. */
      address: z.string(),
      /** As its `User-Agent` names it; null where that is missing or no name. */
      program: z.string().nullable(),
      /** `native`, `openai`, `mcp`, `page`, or the product whose shape it speaks. */
      apis: z.array(z.string()),
      requests: z.int(),
      /** Those answered with a status of 400 or more. */
      errors: z.int(),
      last_seen_at: z.string(),
    }),
  ),
});
export type ClientList = z.infer<typeof ClientList>;

export const Compacted = z.object({ compacted: z.literal(true) });
export type Compacted = z.infer<typeof Compacted>;
