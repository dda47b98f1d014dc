import type { z } from "zod";
import type { EmbeddingsAnswer, EmbeddingsRequest } from "../wire/embeddings.js";
import type { GapAnswer, GapBody, GapSide } from "../wire/gap.js";
import type {
  ZeroShotAnswer,
  ZeroShotAnswers,
  ZeroShotInput,
  ZeroShotRequest,
} from "../wire/zero-shot.js";
import type { Upload, WithUploads } from "./body.js";
import { type Calls, requestOf } from "./calls.js";
import type { CallOptions } from "./send.js";

/** Sides `a` and `b` as embeddings or .npy files; or a collection. */
type GapRequest = Omit<WithUploads<z.input<typeof GapBody>>, "a" | "b"> &
  Partial<Record<"a" | "b", WithUploads<z.input<typeof GapSide>> | Upload>>;

type ZeroShotOne = Omit<WithUploads<z.input<typeof ZeroShotRequest>>, "inputs">;

export interface ZeroShot {
  (
    request: ZeroShotOne & { inputs: readonly WithUploads<z.input<typeof ZeroShotInput>>[] },
    options?: CallOptions,
  ): Promise<ZeroShotAnswers>;
  (request: ZeroShotOne, options?: CallOptions): Promise<ZeroShotAnswer>;
}

export const inferenceCalls = ({ post, text }: Calls) => ({
  /** One input, or several with `inputs`. */
  zeroShot: ((request: object, options?: CallOptions) =>
    post("/v1/zero-shot", request, options)) as ZeroShot,

  embeddings: (request: WithUploads<z.input<typeof EmbeddingsRequest>>, options?: CallOptions) =>
    post<EmbeddingsAnswer>("/v1/embeddings", request, options),

  modalityGap: (request: GapRequest, options?: CallOptions) =>
    post<GapAnswer>("/v1/modality-gap", request, options),

  /** The same report as a picture (SVG) or a page. */
  async modalityGapAs(
    type: "image/svg+xml" | "text/html",
    request: GapRequest,
    options?: CallOptions,
  ): Promise<string> {
    const { headers, ...init } = await requestOf("POST", request);
    const accept = { ...headers, accept: type };
    return text("/v1/modality-gap", { ...options, ...init, headers: accept });
  },
});

export type InferenceCalls = ReturnType<typeof inferenceCalls>;
