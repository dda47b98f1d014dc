import type { MapValues } from "../../../../src/wire/maps.js";

/** Points of one colour. */
export interface Group {
  label: string;
  /** Name of a custom property. */
  colour: string;
  count: number;
}

/** The groups of a field's values, and which of them each point is in. */
export interface Groups {
  groups: readonly Group[];
  /** Position in `groups`, of each point. */
  groupOf: Uint16Array;
  /** How many groups have a colour of their own; those after them are grey. */
  coloured: number;
}

const hues = 8;
const rampSteps = 7;
const grey = "--edge";
const faint = "--line";

export function groupsOf(values: MapValues): Groups {
  return values.kind === "numbers" ? rangesOf(values) : categoriesOf(values);
}

/** The most frequent values have a colour each; the others are grey. */
function categoriesOf({ field, values, points }: MapValues & { kind: "categories" }) {
  const groups: Group[] = values.map(({ value, count }, i) => ({
    label: value === "" ? "(empty)" : String(value),
    colour: i < hues ? `--hue-${i + 1}` : grey,
    count,
  }));
  groups.push({ label: "rarer values", colour: grey, count: 0 });
  return withoutEmpty(groups, points, { field, coloured: Math.min(hues, values.length) });
}

/** Ranges of equal width; the outermost one in a hundred at each end do not stretch them. */
function rangesOf({ field, points }: MapValues & { kind: "numbers" }) {
  const numbers = points.filter((value) => value !== null).sort((a, b) => a - b);
  const at = (share: number) => numbers[Math.round(share * (numbers.length - 1))];
  const [low, high] = at(0.01) < at(0.99) ? [at(0.01), at(0.99)] : [at(0), at(1)];
  const step = roundStep((high - low) / rampSteps);
  const start = Math.floor(low / step);
  const ranges = Math.min(rampSteps, Math.floor(high / step) - start + 1);
  const isWhole = step >= 1 && numbers.every(Number.isInteger);
  const places = points.map((value) =>
    value === null ? null : Math.max(0, Math.min(ranges - 1, Math.floor(value / step) - start)),
  );
  const groups: Group[] = Array.from({ length: ranges }, (_, i) => {
    const [first, end] = [(start + i) * step, (start + i + 1) * step];
    const [from, to] = [first, end].map(numberText);
    const isFirst = i === 0 && numbers[0] < start * step;
    const isLast = i === ranges - 1 && numbers.at(-1)! >= (start + ranges) * step;
    const label = isFirst
      ? `below ${to}`
      : isLast
        ? `${from} and above`
        : isWhole
          ? [...new Set([from, numberText(end - 1)])].join(" – ")
          : `${from} – ${to}`;
    const colour = `--ramp-${1 + Math.round((i / Math.max(1, ranges - 1)) * (rampSteps - 1))}`;
    return { label, colour, count: 0 };
  });
  return withoutEmpty(groups, places, { field, coloured: ranges });
}

/** Counts the points of each group, adds one for those without a value, leaves empty ones out. */
function withoutEmpty(
  all: readonly Group[],
  places: readonly (number | null)[],
  { field, coloured }: { field: string; coloured: number },
) {
  const counted = [...all, { label: `without ${field}`, colour: faint, count: 0 }].map((group) => ({
    ...group,
    count: 0,
  }));
  for (const place of places) counted[place ?? all.length].count++;
  const groups = counted.filter(({ count }) => count > 0);
  const moved = counted.map((group) => groups.indexOf(group));
  return {
    groups,
    groupOf: Uint16Array.from(places, (place) => moved[place ?? all.length]),
    coloured: counted.slice(0, coloured).filter(({ count }) => count > 0).length,
  };
}

/** The least of 1, 2 and 5 times a power of ten that is no less. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((times) => times * power >= least * (1 - 1e-9)) ?? 10);
}

/** Years without a separator. */
function numberText(value: number): string {
  const rounded = Number(value.toPrecision(6));
  return Math.abs(rounded) < 10_000 ? String(rounded) : rounded.toLocaleString();
}
