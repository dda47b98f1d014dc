import { z } from "zod";
import { DataType } from "../encoders/manifest.js";
import type { ModelRegistry } from "../encoders/model-registry.js";
import type { JobKind } from "../jobs/job.js";
import { hubSettings } from "./hub/hub-settings.js";
import { pullModel } from "./pull.js";
import type { PullProgress } from "./pull-options.js";
import { pullTarget } from "./pull-plan.js";

/** The input of a pull job. */
const PullInput = z.object({
  /** A built-in model or a repository of the hub, with `@revision` perhaps. */
  pull: z.string(),
  id: z.string().optional(),
  dtypes: z.array(DataType),
});

export interface PullServices {
  config: { dataDir: string };
  models: ModelRegistry;
}

/** `pull`: fetches a model from the hub into the data folder, and loads it. */
export function pullJob({ config, models }: PullServices): JobKind {
  return {
    lane: "pull",
    isLocal: true,
    async run(input, { signal, report }) {
      const { pull, id, dtypes } = PullInput.parse(input);
      const target = pullTarget(pull, { id });
      const { manifest, wasInstalled } = await pullModel(target, {
        dataDir: config.dataDir,
        hub: hubSettings(process.env),
        dtypes,
        signal,
        progress: reported(report),
      });
      await models.load(manifest.id, { reload: !wasInstalled });
      return { model: manifest.id, was_here: wasInstalled };
    },
  };
}

/** Progress of a pull as that of a job: the share of its bytes that are here. */
function reported(
  report: (progress: number, detail?: Record<string, unknown>) => void,
): PullProgress {
  let total = 0;
  let before = 0;
  let current = 0;
  let size: number | undefined;
  let detail: Record<string, unknown> = {};
  const reportProgress = () =>
    report(total === 0 ? 0 : Math.min(1, (before + current) / total), detail);
  return {
    begin(files, bytes) {
      total = bytes;
      detail = { files, bytes };
      reportProgress();
    },
    file(path, fileSize) {
      size = fileSize;
      detail = { ...detail, file: path };
      reportProgress();
    },
    bytes(receivedBytes) {
      current = receivedBytes;
      reportProgress();
    },
    done() {
      before += size ?? current;
      current = 0;
    },
    notice(notice) {
      detail = { ...detail, notice };
      reportProgress();
    },
  };
}
