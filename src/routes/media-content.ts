import type { MediaContent } from "../inference/content.js";
import type { DecodeLimits } from "../media/decoded-bytes.js";
import { type FetchMedia, type MediaField, readMedia } from "../media/read-media.js";
import { costOfMedia } from "./media-cost.js";

/** A picture or sound of a request as one of its contents. */
export type MediaMaker = (
  field: MediaField,
  modality: "image" | "audio",
  param: string,
) => MediaContent;

export const mediaMaker =
  (
    { fetchMedia, config }: { fetchMedia: FetchMedia; config: DecodeLimits },
    signal: AbortSignal,
  ): MediaMaker =>
  (field, modality, param) => ({
    modality,
    param,
    read: () => readMedia(field, param, fetchMedia, signal),
    cost: () => costOfMedia(field, modality, config),
  });
