import { isDeepStrictEqual } from "node:util";
import { type OptionName, options } from "./options.js";

/** Options that a reload applies; a change of any other needs a restart. */
export const reloadable: readonly OptionName[] = [
  ...(["models", "aliases", "pinnedModels"] as const),
  ...(["apiKeys", "requestsPerMinute", "trustedProxies", "auditFile"] as const),
  ...(["corsOrigins", "trustedHosts", "urlHosts", "maxConnectionsPerAddress"] as const),
  ...(["maxLabels", "maxInputs", "maxAnswerBytes"] as const),
];

/** How a configuration that was read again differs from the one in use. */
export interface ConfigChange<C> {
  /** The one in use, with the changes that need no restart. */
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
  const applied = Object.fromEntries(changed.map((name) => [name, read[name]]));
  return {
    config: Object.freeze({ ...inUse, ...applied }) as C,
    changed,
    needsRestart: different.filter((name) => !reloadable.includes(name)),
  };
}
