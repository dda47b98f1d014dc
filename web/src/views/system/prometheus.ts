/** A sample of a metric: its labels and value. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Prometheus' text format, as far as this server writes it: no escapes but in label values. */
export function parseMetrics(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const match = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/i.exec(line);
    if (match === null) return [];
    const [, name, labels = "", value] = match;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, quoted]) => [
      key,
      quoted.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter)),
    ]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

/**
 * The bound under which a share of a histogram's observations lies: that of a bucket, not
 * interpolated, so the statement is true. Infinity for the last bucket.
 * @param buckets  cumulative counts by upper bound, from several series as well.
 */
export function quantileBound(buckets: ReadonlyMap<number, number>, share: number): number {
  const bounds = [...buckets].sort(([a], [b]) => a - b);
  const total = bounds.at(-1)?.[1] ?? 0;
  return bounds.find(([, count]) => count >= share * total)?.[0] ?? Number.POSITIVE_INFINITY;
}

/** Bounds under which half and 99 of 100 observations lie; undefined without any. */
export function latencyOf(
  samples: readonly Sample[],
  metric: string,
): { half: number; most: number } | undefined {
  const buckets = new Map<number, number>();
  for (const { name, labels, value } of samples) {
    if (name !== `${metric}_bucket`) continue;
    const bound = labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  }
  if (!Math.max(0, ...buckets.values())) return undefined;
  return { half: quantileBound(buckets, 0.5), most: quantileBound(buckets, 0.99) };
}

/** "30 ms", "3 s" */
export function boundText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "more";
  return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds} s`;
}

export interface RouteTimes {
  route: string;
  count: number;
  failed: number;
  halfWithin: number;
  mostWithin: number;
}

/** 499: the client had gone, as the page does when a query changes under it. */
const isRefusal = (status: number) => status >= 400 && status !== 499;

/** How long answers take, by route; the busiest first. */
export function timesByRoute(samples: readonly Sample[]): RouteTimes[] {
  const metric = "crossmodal_request_seconds";
  const routes = new Map<string, Sample[]>();
  for (const sample of samples) {
    if (!sample.name.startsWith(metric)) continue;
    const route = `${sample.labels.method} ${sample.labels.route}`;
    routes.set(route, [...(routes.get(route) ?? []), sample]);
  }
  return [...routes]
    .map(([route, ofRoute]) => {
      let count = 0;
      let failed = 0;
      for (const { name, labels, value } of ofRoute) {
        if (!name.endsWith("_count")) continue;
        count += value;
        if (isRefusal(Number(labels.status))) failed += value;
      }
      const none = Number.POSITIVE_INFINITY;
      const { half, most } = latencyOf(ofRoute, metric) ?? { half: none, most: none };
      return { route, count, failed, halfWithin: half, mostWithin: most };
    })
    .sort((a, b) => b.count - a.count);
}
