import { Hono } from "hono";
import { FieldCounter, type FieldCounts } from "../collections/field-counts.js";
import { turnClock } from "../json/next-turn.js";
import { parseJson } from "../json/parse-json.js";
import type { Services } from "../services.js";
import { CollectionFields, FieldsQuery } from "../wire/collection-fields.js";
import { requestFilter } from "../wire/filter-field.js";
import { parseWith } from "../wire/parse-with.js";
import { describe, json, storeErrors } from "./describe.js";
import type { RequestVariables } from "./request-context.js";

const operation = describe({
  id: "collectionFields",
  tag: "Collections",
  summary: "Fields of the items' metadata: types, most frequent values, range",
  description: "Counted on request, over at most the newest 200,000 items.",
  query: FieldsQuery,
  answers: { 200: { content: json(CollectionFields) } },
  errors: storeErrors,
});

/** Some tenths of a second of work, by turns. */
const maxItems = 200_000;
const itemsAtOnce = 2000;

/** `GET /v1/collections/{name}/fields`: what filters can ask for. */
export function fieldsRoute({ store }: Pick<Services, "store">) {
  return new Hono<RequestVariables>().get("/v1/collections/:name/fields", operation, async (c) => {
    const name = c.req.param("name");
    const signal = c.get("signal");
    const query = parseWith(FieldsQuery, c.req.query());
    const { modality } = query;
    const filter =
      query.filter === undefined ? undefined : requestFilter(parseJson(query.filter, "filter"));
    const counter = new FieldCounter();
    const clock = turnClock();
    let before: number | undefined;
    do {
      signal.throwIfAborted();
      const page = { filter, modality, limit: itemsAtOnce, before };
      const { metadata, next } = await store.metadata(name, page);
      for (const one of metadata) {
        counter.add(one);
        if (clock.isUp()) await clock.next();
      }
      before = next;
    } while (before !== undefined && counter.items < maxItems);
    const fields = [...counter.fields]
      .map(([field, counts]) => fieldAnswer(field, counts, query.values))
      .sort((a, b) => b.count - a.count || (a.field < b.field ? -1 : 1));
    const complete = before === undefined && !counter.hasMoreFields;
    return c.json({ fields, items: counter.items, complete } satisfies CollectionFields);
  });
}

function fieldAnswer(field: string, counts: FieldCounts, maxValues: number) {
  const { count, types, values, hasMoreValues, min, max } = counts;
  const most = [...values].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, maxValues);
  return {
    field,
    count,
    types,
    values: most.map(([value, number]) => ({ value: JSON.parse(value), count: number })),
    distinct: values.size,
    has_more_values: hasMoreValues,
    ...(Number.isFinite(min) && { min, max }),
  };
}
