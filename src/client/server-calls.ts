import type { z } from "zod";
import type { JobAnswer, JobList, JobStarted } from "../wire/jobs.js";
import type { LoadModel, ModelAnswer, ModelList, ModelUnloaded } from "../wire/models.js";
import type {
  AccessAnswer,
  ClientList,
  Compacted,
  Live,
  Ready,
  ReloadAnswer,
  ServerAnswer,
} from "../wire/server.js";
import { type Calls, pathOf } from "./calls.js";
import { type JobEventsOptions, jobEvents } from "./job-events.js";
import type { CallOptions } from "./send.js";

const jobAt = (id: string) => pathOf("v1", "jobs", id);

/** Jobs, models and the server itself. */
export const serverCalls = ({ send, get, post, delete: remove, json, text }: Calls) => ({
  listJobs: (options?: CallOptions) => get<JobList>("/v1/jobs", options),

  getJob: (id: string, options?: CallOptions) => get<JobAnswer>(jobAt(id), options),

  /** The job's current state and each change until it has ended, across broken connections. */
  jobEvents: (id: string, options?: JobEventsOptions): AsyncGenerator<JobAnswer> =>
    jobEvents(send, `${jobAt(id)}/events`, options),

  cancelJob: (id: string, options?: CallOptions) => remove<JobAnswer>(jobAt(id), options),

  resumeJob: (id: string, options?: CallOptions) =>
    post<JobStarted>(`${jobAt(id)}/resume`, undefined, options),

  listModels: (options?: CallOptions) => get<ModelList>("/v1/models", options),

  getModel: (id: string, options?: CallOptions) =>
    get<ModelAnswer>(pathOf("v1", "models", id), options),

  /** Either a model that is installed, or `pull`, which is a job. */
  loadModel: (request: z.input<typeof LoadModel>, options?: CallOptions) =>
    post<ModelAnswer | JobStarted>("/v1/models", request, options),

  unloadModel: (id: string, options?: CallOptions) =>
    remove<ModelUnloaded>(pathOf("v1", "models", id), options),

  /** What this client's key may do; without keys everything. */
  getAccess: (options?: CallOptions) => get<AccessAnswer>("/v1/access", options),

  about: (options?: CallOptions) => get<ServerAnswer>("/", options),

  live: (options?: CallOptions) => get<Live>("/health/live", options),

  /** Also when it is not ready. */
  ready: (options?: CallOptions) => json<Ready>("/health/ready", { ...options, expected: [503] }),

  /** In Prometheus' text format. */
  metrics: (options?: CallOptions) => text("/metrics", { ...options }),

  openApi: (options?: CallOptions) => get<Record<string, unknown>>("/openapi.json", options),

  /** The description as a page, in HTML. */
  docs: (options?: CallOptions) => text("/docs", { ...options }),

  /** All collections as a SQLite file, which may be large: a stream. */
  backup: async (options?: CallOptions): Promise<ReadableStream<Uint8Array>> =>
    (await send("/v1/backup", options)).body as ReadableStream<Uint8Array>,

  /** Reads the server's configuration again. */
  reload: (options?: CallOptions) => post<ReloadAnswer>("/v1/admin/reload", undefined, options),

  listClients: (options?: CallOptions) => get<ClientList>("/v1/admin/clients", options),

  compact: (options?: CallOptions) => post<Compacted>("/v1/compact", undefined, options),
});

export type ServerCalls = ReturnType<typeof serverCalls>;
