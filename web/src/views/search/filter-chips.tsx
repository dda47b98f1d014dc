import { modalityNames } from "../../media.js";
import { chosenIds } from "./chosen.js";
import { chosenInWords, conditionInWords, conditionsOf, filterOf } from "./conditions.js";
import { ask, query } from "./query.js";

/** The active filters, each of which can be removed. */
export function FilterChips() {
  const { collection, filter, modality, chosen } = query.value;
  const conditions = conditionsOf(filter);
  const ids = chosen === undefined ? undefined : chosenIds(collection!, chosen);
  if (filter === undefined && modality === undefined && ids === undefined) return null;
  const chips = [
    ...(ids === undefined
      ? []
      : [{ words: chosenInWords(ids.length), remove: () => ask({ chosen: undefined }) }]),
    ...(modality === undefined
      ? []
      : [
          { words: `only ${modalityNames[modality]}s`, remove: () => ask({ modality: undefined }) },
        ]),
    ...(conditions?.map((one) => ({
      words: conditionInWords(one),
      remove: () => ask({ filter: filterOf(conditions.filter((other) => other !== one)) }),
    })) ?? [{ words: "a filter that cannot be read", remove: () => ask({ filter: undefined }) }]),
  ];
  return (
    <ul class="row filter-chips" aria-label="Filters">
      {chips.map(({ words, remove }) => (
        <li class="chip" key={words}>
          <span class="name" title={words}>
            {words}
          </span>
          <button type="button" class="plain" aria-label={`Remove ${words}`} onClick={remove}>
            ×
          </button>
        </li>
      ))}
      {chips.length > 1 && (
        <li>
          <button
            type="button"
            class="plain quiet"
            onClick={() => ask({ filter: undefined, modality: undefined, chosen: undefined })}
          >
            Remove all
          </button>
        </li>
      )}
    </ul>
  );
}
