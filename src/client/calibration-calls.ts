import type { z } from "zod";
import type {
  CalibrationActivation,
  CalibrationAnswer,
  CalibrationBody,
  CalibrationList,
} from "../wire/calibrations.js";
import type { Deleted } from "../wire/common.js";
import type { JobStarted } from "../wire/jobs.js";
import { type Calls, pathOf } from "./calls.js";
import type { CallOptions } from "./send.js";

const at = (name: string) => pathOf("v1", "calibrations", name);

export const calibrationCalls = ({ get, post, delete: remove }: Calls) => ({
  calibrate: (request: z.input<typeof CalibrationBody>, options?: CallOptions) =>
    post<JobStarted>("/v1/calibrations", request, options),

  listCalibrations: (options?: CallOptions) => get<CalibrationList>("/v1/calibrations", options),

  getCalibration: (name: string, options?: CallOptions) =>
    get<CalibrationAnswer>(at(name), options),

  deleteCalibration: (name: string, options?: CallOptions) => remove<Deleted>(at(name), options),

  activateCalibration: (
    name: string,
    request: z.input<typeof CalibrationActivation>,
    options?: CallOptions,
  ) => post<CalibrationAnswer>(`${at(name)}/activate`, request, options),
});

export type CalibrationCalls = ReturnType<typeof calibrationCalls>;
