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
 * The bound under which a share of a histogram's observations lies: of buckets, not interpolated,
 * so what is said is true. Infinity when it is in the last one.
 * @param buckets  cumulative counts by upper bound, from several series as well.
 */
export function quantileBound(buckets: ReadonlyMap<number, number>, share: number): number {
  const bounds = [...buckets].sort(([a], [b]) => a - b);
  const total = bounds.at(-1)?.[1] ?? 0;
  return bounds.find(([, count]) => count >= share * total)?.[0] ?? Number.POSITIVE_INFINITY;
}

export interface RouteTimes {
  route: string;
  count: number;
  failed: number;
  halfWithin: number;
  mostWithin: number;
}

/** How long answers take, by route; the busiest first. */
export function timesByRoute(samples: readonly Sample[]): RouteTimes[] {
  const routes = new Map<string, Sample[]>();
  for (const sample of samples) {
    if (!sample.name.startsWith("crossmodal_request_seconds")) continue;
    const route = `${sample.labels.method} ${sample.labels.route}`;
    routes.set(route, [...(routes.get(route) ?? []), sample]);
  }
  return [...routes]
    .map(([route, ofRoute]) => {
      const buckets = new Map<number, number>();
      let count = 0;
      let failed = 0;
      for (const { name, labels, value } of ofRoute) {
        if (name.endsWith("_bucket")) {
          const bound = labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le);
          buckets.set(bound, (buckets.get(bound) ?? 0) + value);
        } else if (name.endsWith("_count")) {
          count += value;
          if (Number(labels.status) >= 400) failed += value;
        }
      }
      const within = (share: number) => quantileBound(buckets, share);
      return { route, count, failed, halfWithin: within(0.5), mostWithin: within(0.99) };
    })
    .sort((a, b) => b.count - a.count);
}
