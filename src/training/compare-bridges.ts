import { applyHead, type ProjectionHead } from "../encoders/head.js";
import { seededRandom } from "../math/random.js";
import { meanRow, type Rows, rowCount, rowsOf, unitRows, vectorsOf } from "../math/rows.js";
import { bootstrapMean, type Interval, mean } from "../math/statistics.js";
import { pairFacts } from "./pair-facts.js";

export interface BridgesToCompare {
  head: ProjectionHead;
  /** The bridge in use; without one the new bridge must beat chance. */
  inUse?: ProjectionHead;
  /** [N, D] The same N different texts in both spaces, none of which `head` was fitted on. */
  textsFrom: Rows;
  textsTo: Rows;
}

/**
 * Mean reciprocal rank of each text among all projected ones, for the bridge in use and the new
 * one.
 */
export interface BridgeComparison {
  texts: number;
  before: number;
  after: number;
  change: number;
  interval: Interval;
  improved: boolean;
}

/**
 * Which of two bridges maps texts closer to the other model's embeddings. Both sides are centred
 * first: a bridge for sounds shifts all texts, since it subtracts the mean of sounds, which must
 * not count against it.
 */
export function compareBridges(comparison: BridgesToCompare): BridgeComparison {
  const { head, inUse, textsFrom, textsTo } = comparison;
  const texts = rowCount(textsFrom);
  const targets = centered(textsTo);
  const reciprocalRanks = (bridge: ProjectionHead) => {
    const crossed = centered(rowsOf(applyHead(bridge, vectorsOf(textsFrom))));
    return pairFacts(crossed, targets).rankAToB.map((rank) => 1 / rank);
  };
  const after = reciprocalRanks(head);
  const before = inUse === undefined ? after.map(() => chance(texts)) : reciprocalRanks(inUse);
  const interval = bootstrapMean(
    after.map((value, i) => value - before[i]),
    seededRandom(1),
  );
  const [was, is] = [mean(before), mean(after)];
  return { texts, before: was, after: is, change: is - was, interval, improved: interval[0] > 0 };
}

/** The mean of 1/rank over ranks 1 to N: H(N) / N. */
function chance(count: number): number {
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) sum += 1 / rank;
  return sum / count;
}

function centered(rows: Rows): Rows {
  const center = meanRow(rows);
  const { dimensions } = rows;
  const values = rows.values.map((value, i) => value - center[i % dimensions]);
  return unitRows({ values, dimensions }, "texts");
}
