import { AppError } from "../errors.js";
import type { HubClient } from "./hub/hub-client.js";
import type { HubListing } from "./hub/list-repo.js";
import { readLogit } from "./hub/read-logit.js";
import { logitFile } from "./onnx-layout.js";
import type { PullOptions } from "./pull-options.js";
import type { PullTarget } from "./pull-plan.js";

/** Both are missing when the repository's logit.json gives them. */
export interface Logit {
  logitScale?: number;
  logitBias?: number;
}

/**
 * The multiplier and bias that the ONNX exports leave out: from the user, else from the repository
 * (logit.json), else from the original checkpoint, else as published.
 *
 * @throws AppError `invalid_input` when none of these is available: scores with a made-up scale
 *   would be silently wrong.
 */
export async function learnedLogit(
  client: HubClient,
  { builtIn, repo }: PullTarget,
  { files }: HubListing,
  { logitScale, logitBias, hub, signal, progress }: PullOptions,
): Promise<Logit> {
  if (logitScale !== undefined) return { logitScale, logitBias };
  if (files.some(({ path }) => path === logitFile)) return {};
  const { scale, bias, checkpointRevision } = builtIn?.logit ?? {};
  if (builtIn !== undefined && checkpointRevision !== undefined && !hub.offline) {
    const found = await readLogit(
      client,
      { repo: builtIn.original, revision: checkpointRevision },
      signal,
    );
    if (found !== undefined) return found;
    const instead = scale === undefined ? "" : `; taking the published ${scale}`;
    progress.notice(`the logit scale cannot be read from ${builtIn.original}${instead}`);
  }
  if (scale !== undefined) return { logitScale: scale, logitBias: bias };
  const message =
    `The ONNX files of ${repo} do not contain the learned logit scale, and it is unknown. Give ` +
    "it " +
    "with --logit-scale " +
    "(SigLIP: and --logit-bias): exp(logit_scale) of the " +
    `checkpoint${builtIn === undefined ? "" : ` ${builtIn.original}`} ` +
    "(CLAP: exp(logit_scale_a))";
  throw new AppError("invalid_input", message, { param: "logit-scale" });
}
