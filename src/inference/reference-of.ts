import type { Calibration } from "../calibrations/calibration.js";
import type { CalibrationStore } from "../calibrations/calibration-store.js";
import type { Modality } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { AppError, invalidInput } from "../errors.js";
import { rowCount } from "../math/rows.js";
import type { Reference } from "../zero-shot/reference.js";
import type { ReferenceBank } from "../zero-shot/reference-bank.js";

interface Parts {
  referenceBank: ReferenceBank;
  calibrations: Pick<CalibrationStore, "use">;
}

interface Query {
  falseAlarmRate?: number;
  multiLabel?: boolean;
  calibration?: string;
}

interface Asked {
  modality: Modality;
  templates: readonly string[];
  signal?: AbortSignal;
}

/** The reference that a request's labels are compared with; empty if it needs none. */
export interface ChosenReference {
  reference?: Reference;
  calibration?: { name: string; version: number };
}

/**
 * The neutral texts, and the background of the request's calibration, or the shipped one.
 *
 * @throws AppError `invalid_input` for texts, for a calibration without effect, and for a rate too
 *   low for the background; `space_mismatch` for a calibration of another space; `unavailable` when
 *   the request's time is up before the background is embedded, which goes on.
 */
export async function referenceOf(
  { referenceBank, calibrations }: Parts,
  { falseAlarmRate, multiLabel = false, calibration: name }: Query,
  pack: LoadedPack,
  { modality, templates, signal }: Asked,
): Promise<ChosenReference> {
  if (falseAlarmRate === undefined && name === undefined) return {};
  if (modality === "text") {
    const param = falseAlarmRate === undefined ? "calibration" : "reject";
    throw invalidInput(param, `"${param}" is for pictures and sounds, not for text`);
  }
  const calibration = name === undefined ? undefined : await calibrations.use(name);
  if (calibration !== undefined) checkFits(calibration, pack, modality);
  if (falseAlarmRate === undefined && !multiLabel)
    throw invalidInput("calibration", '"calibration" is for "reject" and for "multi_label"');
  if (calibration !== undefined && multiLabel && calibration.logistic === undefined) {
    const message =
      `The calibration "${name}" was made without labels and gives no probabilities: ` +
      'create one with "by", or leave out "multi_label"';
    throw invalidInput("calibration", message);
  }
  const computing = Promise.all([
    referenceBank.neutral(pack, modality, templates),
    calibration?.background ?? referenceBank.background(pack, modality),
  ]);
  const [neutral, background] = await orAborted(computing, signal, () => {
    const { embedded, total } = referenceBank.backgroundProgress(pack.space, modality);
    const message =
      '"reject" needs background that is being embedded for the first time in this space: ' +
      `${embedded} of ${total} so far. Ask again in a moment`;
    return new AppError("unavailable", message, { param: "reject", retryAfterSeconds: 5 });
  });
  const least = 1 / (rowCount(background) + 1);
  if (falseAlarmRate !== undefined && falseAlarmRate < least) {
    const message =
      `Expected a false_alarm_rate of at least ${least.toFixed(4)}, the least for ` +
      `${rowCount(background)} background inputs, but received ${falseAlarmRate}`;
    throw invalidInput("reject.false_alarm_rate", message);
  }
  if (calibration === undefined) return { reference: { ...neutral, background } };
  const { version, logistic, backgroundLabels } = calibration;
  return {
    reference: {
      ...neutral,
      background,
      backgroundLabels: backgroundLabels.map((label) => label ?? undefined),
      logistic,
    },
    calibration: { name: calibration.name, version },
  };
}

/**
 * @throws the signal's reason when it aborts first, or what `late` makes when the time is up; the
 *   work goes on.
 */
async function orAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  late: () => AppError,
): Promise<T> {
  if (signal === undefined) return work;
  const waiting = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const fail = () => {
      const { reason } = signal;
      reject(reason instanceof AppError && reason.code === "timeout" ? late() : reason);
    };
    if (signal.aborted) fail();
    signal.addEventListener("abort", fail, { signal: waiting.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    waiting.abort();
  }
}

function checkFits(
  { name, version, space, modality }: Calibration,
  pack: LoadedPack,
  expected: Modality,
): void {
  const param = "calibration";
  if (space !== pack.space) {
    const message =
      `Version ${version} of the calibration "${name}" was made in the space ${space}, but ` +
      `"${pack.manifest.id}" answers in ${pack.space}: create it again`;
    throw new AppError("space_mismatch", message, { param });
  }
  if (modality !== expected)
    throw invalidInput(param, `The calibration "${name}" is for ${modality}, not for ${expected}`);
}
