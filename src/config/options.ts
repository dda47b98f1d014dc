import type { z } from "zod";
import { accessOptions } from "./access-options.js";
import { addressOptions } from "./address-options.js";
import { jobOptions } from "./job-options.js";
import { limitOptions } from "./limit-options.js";
import { modelOptions } from "./model-options.js";
import type { Option } from "./option.js";

/**
 * Every option, once. `dataDir` is `--data-dir`, `CROSSMODAL_DATA_DIR` or `"dataDir"` in the config
 * file: a flag overrides the environment, which overrides the file, which overrides the default.
 */
export const options = {
  ...addressOptions,
  ...modelOptions,
  ...limitOptions,
  ...jobOptions,
  ...accessOptions,
} satisfies Record<string, Option<z.ZodType>>;

export type OptionName = keyof typeof options;

/** A default as the documentation shows it; empty for none. */
export const shownDefault = (name: OptionName): string => {
  const value: unknown = options[name].default;
  return typeof value === "object" && !Array.isArray(value) ? "" : String(value);
};
