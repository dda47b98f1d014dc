export { type App, createApp } from "./app.js";
export { type Config, loadConfig } from "./config.js";
export type {
  DecodedAudio,
  DecodedImage,
  Embedding,
  Encoder,
  HeldAudio,
  HeldImage,
  Modality,
  ModalityInput,
} from "./encoders/encoder.js";
export { applyHead, type ProjectionHead, readHead, writeHead } from "./encoders/head.js";
export { type LoadedPack, PackLoader } from "./encoders/load.js";
export type { LoadOptions } from "./encoders/load-options.js";
export type { Manifest } from "./encoders/manifest.js";
export type { Packs, PackWith } from "./encoders/packs.js";
export { withHead } from "./encoders/with-head.js";
export { AppError, type ErrorCode } from "./errors.js";
export { createLog, type Log } from "./log.js";
export { type HubSettings, hubSettings } from "./models/hub/hub-settings.js";
export { pullModel } from "./models/pull.js";
export type { PullOptions, PullProgress } from "./models/pull-options.js";
export { type PullTarget, pullTarget } from "./models/pull-plan.js";
export { reportPage } from "./reports/report-page.js";
export { type RunningServer, startServer } from "./server.js";
export { createServices, type Services } from "./services.js";
export { fitBridge } from "./training/bridge.js";
export type { BridgeOptions } from "./training/bridge-options.js";
export {
  type CacheAdapter,
  cacheLogits,
  fitCacheAdapter,
  fitLinearProbe,
  type LabelledItems,
  type LinearProbe,
  linearProbeLogits,
  type ZeroShotClasses,
} from "./training/few-shot.js";
export { readFewShot, writeFewShot } from "./training/few-shot-file.js";
export { gapMeasurer } from "./training/gap-measurer.js";
export type { GapReport, GapRequest } from "./training/measure-gap.js";
export type { RunReport } from "./training/run-report.js";
export { suspiciousPairs } from "./training/screening.js";
export type { TrainingResult } from "./training/train-head.js";
export {
  screenInWorker,
  trainInWorker,
  type WorkerControl as TrainingControl,
} from "./training/train-in-worker.js";
export type { TrainingRequest } from "./training/training-request.js";
export { classify, type LabelScore, type ZeroShotPack } from "./zero-shot/classifier.js";
export type { ClassifyOptions } from "./zero-shot/classify-options.js";
