import type { Modality } from "../encoders/encoder.js";
import type { Filter } from "./filter.js";
import { modalities } from "./modalities.js";

type Fact = Extract<Filter, { item: unknown }>;

/**
 * A checked condition on `added_at` or `modality`, which are numbers in databases, as SQL that
 * every driver's database reads; undefined for one on another fact.
 */
export function numberFact({ item, op, value }: Fact): string | undefined {
  if (item === "added_at") {
    const sign = { lt: "<", lte: "<=", gt: ">", gte: ">=" }[op as "lt"];
    return `added_at ${sign} ${Date.parse(value as string)}`;
  }
  if (item !== "modality") return undefined;
  const wanted = (Array.isArray(value) ? value : [value]) as Modality[];
  if (wanted.length === 0) return "false";
  return `modality in (${wanted.map((one) => modalities.indexOf(one)).join(", ")})`;
}
