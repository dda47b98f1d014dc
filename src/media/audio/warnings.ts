/** Warnings kept for one sound; further ones are counted. */
const maxWarnings = 12;

/** Damaged, repaired and skipped parts of a sound, in plain sentences for the sender. */
export class Warnings {
  readonly #sentences: string[] = [];
  #further = 0;
  readonly #muted = new Map<string, { count: number; from: number; to: number }>();

  add(sentence: string): void {
    if (this.#sentences.includes(sentence)) return;
    if (this.#sentences.length < maxWarnings) this.#sentences.push(sentence);
    else this.#further++;
  }

  /**
   * Damaged pieces, named in one sentence for the whole sound: `frames` from and to a time in
   * seconds.
   */
  mute(kind: string, count: number, from: number, to: number): void {
    const before = this.#muted.get(kind);
    this.#muted.set(
      kind,
      before === undefined
        ? { count, from, to }
        : {
            count: before.count + count,
            from: Math.min(before.from, from),
            to: Math.max(before.to, to),
          },
    );
  }

  list(): string[] {
    const damage = [...this.#muted].map(([kind, { count, from, to }]) => {
      const subject = count === 1 ? `1 damaged ${kind} was` : `${count} damaged ${kind}s were`;
      return `${subject} filled in or skipped between ${inSeconds(from)} and ${inSeconds(to)}`;
    });
    const further = this.#further > 0 ? [`${this.#further} further warnings`] : [];
    return [...damage, ...this.#sentences, ...further];
  }
}

/** `0.85 s` */
export function inSeconds(seconds: number): string {
  return `${seconds.toFixed(2)} s`;
}

/**
 * Warns when the claimed and the actual length differ by more than `tolerance` frames.
 */
export function compareLength(
  warnings: Warnings,
  claimed: number,
  found: number,
  { sampleRateHz, tolerance = 0 }: { sampleRateHz: number; tolerance?: number },
): void {
  if (Math.abs(claimed - found) <= tolerance) return;
  const [says, holds] = [claimed, found].map((frames) => inSeconds(frames / sampleRateHz));
  warnings.add(
    found < claimed
      ? `The file is cut short: its header says ${says}, it holds ${holds}`
      : `The header says ${says}, the file holds ${holds}: all of it was read`,
  );
}
