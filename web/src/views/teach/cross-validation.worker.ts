import { crossValidate, type Labelled } from "./cross-validation.js";

addEventListener("message", ({ data }: MessageEvent<Labelled>) => postMessage(crossValidate(data)));
