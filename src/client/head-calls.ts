import type { z } from "zod";
import type { BridgeAnswer, BridgeBody, BridgeList } from "../wire/bridges.js";
import type { Deleted } from "../wire/common.js";
import type {
  HeadActivation,
  HeadAnswer,
  HeadChanged,
  HeadImported,
  HeadList,
  HeadReport,
  HeadVersionDeleted,
} from "../wire/heads.js";
import type { JobStarted } from "../wire/jobs.js";
import type { TrainBody } from "../wire/training.js";
import type { RequestBody, Upload, WithUploads } from "./body.js";
import { type Calls, pathOf, queryOf } from "./calls.js";
import type { CallOptions } from "./send.js";

const headAt = (name: string) => pathOf("v1", "heads", name);
const versionAt = (name: string, version: number) => `${headAt(name)}/versions${pathOf(version)}`;
const bridgeAt = (name: string) => pathOf("v1", "bridges", name);

export const headCalls = ({ get, post, delete: remove, json, text, blob }: Calls) => ({
  trainHead: (request: WithUploads<z.input<typeof TrainBody>>, options?: CallOptions) =>
    post<JobStarted>("/v1/heads", request, options),

  listHeads: (options?: CallOptions) => get<HeadList>("/v1/heads", options),

  getHead: (name: string, options?: CallOptions) => get<HeadAnswer>(headAt(name), options),

  deleteHead: (name: string, query: { force?: boolean } = {}, options?: CallOptions) =>
    remove<Deleted>(headAt(name) + queryOf(query), options),

  activateHead: (name: string, request: z.input<typeof HeadActivation>, options?: CallOptions) =>
    post<HeadChanged>(`${headAt(name)}/activate`, request, options),

  deactivateHead: (name: string, options?: CallOptions) =>
    post<HeadAnswer>(`${headAt(name)}/deactivate`, undefined, options),

  rollbackHead: (name: string, options?: CallOptions) =>
    post<HeadChanged>(`${headAt(name)}/rollback`, undefined, options),

  importHead: (file: Upload, query: { name?: string } = {}, options?: CallOptions) =>
    json<HeadImported>(`/v1/heads/import${queryOf(query)}`, {
      ...options,
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: file as RequestBody,
    }),

  exportHead: (name: string, version: number, options?: CallOptions): Promise<Blob> =>
    blob(`${versionAt(name, version)}/export`, { ...options }),

  deleteHeadVersion: (name: string, version: number, options?: CallOptions) =>
    remove<HeadVersionDeleted>(versionAt(name, version), options),

  headReport: (name: string, version: number, options?: CallOptions) =>
    get<HeadReport>(`${versionAt(name, version)}/report`, options),

  /** The same report as a page, in HTML. */
  headReportPage: (name: string, version: number, options?: CallOptions) =>
    text(`${versionAt(name, version)}/report`, { ...options, headers: { accept: "text/html" } }),

  learnBridge: (request: z.input<typeof BridgeBody>, options?: CallOptions) =>
    post<JobStarted>("/v1/bridges", request, options),

  listBridges: (options?: CallOptions) => get<BridgeList>("/v1/bridges", options),

  getBridge: (name: string, options?: CallOptions) => get<BridgeAnswer>(bridgeAt(name), options),

  deleteBridge: (name: string, options?: CallOptions) => remove<Deleted>(bridgeAt(name), options),

  activateBridge: (name: string, request: { version: number }, options?: CallOptions) =>
    post<BridgeAnswer>(`${bridgeAt(name)}/activate`, request, options),

  deactivateBridge: (name: string, options?: CallOptions) =>
    post<BridgeAnswer>(`${bridgeAt(name)}/deactivate`, undefined, options),

  rollbackBridge: (name: string, options?: CallOptions) =>
    post<BridgeAnswer>(`${bridgeAt(name)}/rollback`, undefined, options),
});

export type HeadCalls = ReturnType<typeof headCalls>;
