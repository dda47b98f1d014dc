import { type Command, Option } from "commander";
import type { Modality } from "../encoders/encoder.js";
import type { Filter } from "../index/filter.js";
import type { ItemAnswer } from "../wire/items.js";
import { parseJsonObject } from "./options.js";
import { CommandError, type Target } from "./target.js";

/** Flags that choose items of a collection; several narrow the choice. */
export function addSelectionFlags(command: Command): Command {
  return command
    .option(
      "--filter <json>",
      'a condition, e.g. \'{"field": "year", "op": "lt", "value": 2020}\'',
      parseJsonObject,
    )
    .option("--id-prefix <text>", "ids that begin with this")
    .option("--source-prefix <text>", "files or addresses that begin with this")
    .addOption(
      new Option("--modality <name>", "items of this modality").choices(["text", "image", "audio"]),
    );
}

interface SelectionFlags {
  filter?: Record<string, unknown>;
  idPrefix?: string;
  sourcePrefix?: string;
  modality?: Modality;
}

/** The filter of these flags and ids; undefined when nothing was chosen. */
export function selectionOf(
  { filter, idPrefix, sourcePrefix, modality }: SelectionFlags,
  ids: readonly string[] = [],
): Filter | undefined {
  const parts: unknown[] = [];
  if (ids.length > 0) parts.push({ item: "id", op: "in", value: ids });
  if (filter !== undefined) parts.push(filter);
  for (const [item, value] of [
    ["id", idPrefix],
    ["source", sourcePrefix],
  ])
    if (value !== undefined) parts.push({ item, op: "prefix", value });
  if (modality !== undefined) parts.push({ item: "modality", op: "eq", value: modality });
  if (idPrefix === "" || sourcePrefix === "")
    throw new CommandError("An empty prefix would choose every item", { code: "invalid_input" });
  if (parts.length === 0) return undefined;
  return (parts.length === 1 ? parts[0] : { and: parts }) as Filter;
}

/** Items that a filter finds, oldest first; all of them without one. */
export async function* matchingItems(
  target: Target,
  collection: string,
  filter: Filter | undefined,
  { limit = Number.POSITIVE_INFINITY } = {},
): AsyncGenerator<ItemAnswer> {
  const query = filter === undefined ? {} : { filter: JSON.stringify(filter) };
  let after: string | undefined;
  for (let left = limit; left > 0; ) {
    const page = await target.listItems(collection, {
      ...query,
      after,
      limit: Math.min(left, maxPage),
    });
    yield* page.data;
    left -= page.data.length;
    after = page.next_cursor;
    if (after === undefined) return;
  }
}

const maxPage = 1000;
