/** The name that takes the fewest edits to reach; `names` has at least one. */
export function closest(name: string, names: readonly string[]): string {
  const distances = names.map((other) => editDistance(name, other));
  return names[distances.indexOf(Math.min(...distances))];
}

/** The name that was likely meant, if any: `top_k` for `topk`, `candidate_labels` for `labels`. */
export function likelyMeant(name: string, names: readonly string[]): string | undefined {
  if (name.length < 3 || name.length > 64 || names.length === 0) return undefined;
  const nearest = closest(name, names);
  const edits = editDistance(name, nearest);
  const longer = names.find((other) => other.split("_").includes(name));
  if (longer !== undefined && edits > 1) return longer;
  if (edits <= Math.max(1, Math.floor(nearest.length / 3))) return nearest;
  return names.find((other) => other.includes(name));
}

/** Levenshtein distance. `editDistance("port", "prt")` is 1. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
