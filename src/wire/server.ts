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

export const Ready = z.object({
  status: z.enum(["starting", "ready", "failed", "stopping", "degraded"]),
  /** What is being restarted. */
  reasons: z.array(z.string()).optional(),
  /** Why nothing can be stored at the moment, e.g. a full disk; searches still work. */
  cannot_write: z.string().optional(),
});
export type Ready = z.infer<typeof Ready>;

/** What came of reading the configuration again: names of options. */
export const ReloadAnswer = z.object({
  changed: z.array(z.string()),
  needs_restart: z.array(z.string()),
  models: z.object({ loaded: z.array(z.string()), unloaded: z.array(z.string()) }),
});
export type ReloadAnswer = z.infer<typeof ReloadAnswer>;

export const Compacted = z.object({ compacted: z.literal(true) });
export type Compacted = z.infer<typeof Compacted>;
