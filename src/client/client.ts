import { type CalibrationCalls, calibrationCalls } from "./calibration-calls.js";
import { callsOf } from "./calls.js";
import { type CollectionCalls, collectionCalls } from "./collection-calls.js";
import { type HeadCalls, headCalls } from "./head-calls.js";
import { type InferenceCalls, inferenceCalls } from "./inference-calls.js";
import { type ItemCalls, itemCalls } from "./item-calls.js";
import { type ClientOptions, type Send, sender } from "./send.js";
import { type ServerCalls, serverCalls } from "./server-calls.js";

export type { BridgeAnswer } from "../wire/bridges.js";
export type { CollectionAnswer } from "../wire/collections.js";
export type { EmbeddingsAnswer } from "../wire/embeddings.js";
export type { ErrorBody } from "../wire/error.js";
export type { GapAnswer } from "../wire/gap.js";
export type { HeadAnswer } from "../wire/heads.js";
export type { ExportedItem, ItemAnswer, ItemStatus, LineStatus } from "../wire/items.js";
export type { JobAnswer } from "../wire/jobs.js";
export type { ModelAnswer } from "../wire/models.js";
export type { SearchAnswer, SearchAnswers } from "../wire/search.js";
export type { ZeroShotAnswer } from "../wire/zero-shot.js";
export type { Upload } from "./body.js";
export { ApiError, ConnectionError } from "./errors.js";
export type { NewItem } from "./item-calls.js";
export type { StreamOptions } from "./item-stream.js";
export type { CallOptions, ClientOptions, SendInit } from "./send.js";

/**
 * Every route of a crossmodal server. The methods have the names of the operations in
 * /openapi.json, and docs/api.md says what they do. They throw `ApiError` where the server refuses,
 * `ConnectionError` where none answers, and the reason of an aborted signal.
 */
export interface Client
  extends InferenceCalls,
    CalibrationCalls,
    CollectionCalls,
    ItemCalls,
    HeadCalls,
    ServerCalls {
  /** Any request: with the key, the retries and the errors of the client. */
  send: Send;
}

/** A client by `fetch` alone. */
export function createClient(options: ClientOptions): Client {
  const calls = callsOf(sender(options));
  return {
    send: calls.send,
    ...inferenceCalls(calls),
    ...calibrationCalls(calls),
    ...collectionCalls(calls),
    ...itemCalls(calls),
    ...headCalls(calls),
    ...serverCalls(calls),
  };
}
