import { isDeepStrictEqual } from "node:util";
import { type OptionName, options } from "./options.js";

/** Options that are taken over by a reload; a change of any other needs a restart. */
const reloadable: readonly OptionName[] = [
  ...(["models", "aliases", "pinnedModels"] as const),
  ...(["apiKeys", "requestsPerMinute", "trustedProxies", "auditFile"] as const),
  ...(["corsOrigins", "trustedHosts", "urlHosts"] as const),
  ...(["maxLabels", "maxInputs", "maxAnswerBytes"] as const),
];

/** What of a configuration that was read again differs from the one in use. */
export interface ConfigChange<C> {
  /** The one in use with what can be taken over. */
  config: C;
  changed: OptionName[];
  needsRestart: OptionName[];
}

export function compareConfigs<C extends Readonly<Record<OptionName, unknown>>>(
  inUse: C,
  read: C,
): ConfigChange<C> {
  const different = (Object.keys(options) as OptionName[]).filter(
    (name) => !isDeepStrictEqual(inUse[name], read[name]),
  );
  const changed = different.filter((name) => reloadable.includes(name));
  const taken = Object.fromEntries(changed.map((name) => [name, read[name]]));
  return {
    config: Object.freeze({ ...inUse, ...taken }) as C,
    changed,
    needsRestart: different.filter((name) => !reloadable.includes(name)),
  };
}
