import type { ScreeningFinding, ScreeningReport } from "../training/screening.js";

/** Most findings that a report lists. */
const maxFindings = 1000;

/** A few findings of each kind, with a few pairs of each. */
export function worstOf({ counts, findings }: ScreeningReport) {
  return Object.keys(counts).flatMap((kind) =>
    findings
      .filter((finding) => finding.kind === kind)
      .slice(0, 5)
      .map(({ score, pairs, ids }) => ({
        kind,
        score,
        pairs: pairs.slice(0, 5),
        ...(ids && { ids: ids.slice(0, 5) }),
      })),
  );
}

export function screeningReport(
  findings: readonly ScreeningFinding[],
  excluded: number[],
  ids?: string[],
): ScreeningReport {
  const counts: Record<string, number> = {};
  for (const { kind } of findings) counts[kind] = (counts[kind] ?? 0) + 1;
  const named = findings.slice(0, maxFindings).map((finding) => {
    return ids === undefined ? finding : { ...finding, ids: finding.pairs.map((at) => ids[at]) };
  });
  return { counts, findings: named, excluded };
}
