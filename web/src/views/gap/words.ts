import type { GapAnswer } from "../../../../src/wire/gap.js";
import type { directionsOf } from "./figures.js";

type Shift = Pick<
  NonNullable<GapAnswer["shift_curve"]>[number],
  "delta" | "a_to_b_at_1" | "b_to_a_at_1"
>;
type Names = ReturnType<typeof directionsOf>;

/** "59.4 %", which stays in one line. */
export const percent = (share: number) => `${(100 * share).toFixed(1)}\u00a0%`;

/** "0.474 apart, past each other": what is subtracted beyond the gap makes it negative. */
export const apartText = (distance: number) =>
  `${Math.abs(distance).toFixed(3)} apart${distance < 0 ? ", past each other" : ""}`;

/** What moving the kinds does at best to finding partners, in each direction. */
export function movingText(curve: readonly Shift[], names: Names): string {
  const native = curve.find(({ delta }) => delta === 0) ?? curve[0];
  const ways = (["a_to_b", "b_to_a"] as const).map((way) => {
    const key = `${way}_at_1` as const;
    const best = curve.reduce((a, b) => (b[key] > a[key] ? b : a));
    return best[key] > native[key]
      ? `${names[way]} ${percent(best[key])} at ${best.delta} instead of ${percent(native[key])}`
      : undefined;
  });
  const better = ways.filter((way) => way !== undefined);
  return better.length === 0
    ? "Moving finds no more partners here, wherever it leads."
    : `At best, moving finds ${better.join(", and ")}.`;
}

/** Round numbers from low to high, at most seven. */
export function ticksOf(low: number, high: number): number[] {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((one) => (high - low) / one <= 6) ?? 1;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toFixed(2)));
}
