export interface ClassFigures {
  label: string;
  /** Items that have the label. */
  support: number;
  /** Share of right ones among items answered with the label; 0 without any. */
  precision: number;
  /** Share of right ones among items with the label; 0 without any. */
  recall: number;
  f1: number;
}

/** [label][answer]: how many items with a label got an answer. */
export function confusionOf(
  labels: readonly number[],
  answers: readonly number[],
  count: number,
): number[][] {
  const confusion = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  for (const [i, label] of labels.entries()) confusion[label][answers[i]]++;
  return confusion;
}

/** Precision, recall and their harmonic mean of each label. */
export function classFigures(
  names: readonly string[],
  confusion: readonly number[][],
): ClassFigures[] {
  const share = (part: number, of: number) => (of === 0 ? 0 : part / of);
  const predicted = names.map((_, answer) => confusion.reduce((sum, row) => sum + row[answer], 0));
  return names.map((label, i) => {
    const support = confusion[i].reduce((sum, count) => sum + count, 0);
    const right = confusion[i][i];
    return {
      label,
      support,
      precision: share(right, predicted[i]),
      recall: share(right, support),
      f1: share(2 * right, support + predicted[i]),
    };
  });
}
