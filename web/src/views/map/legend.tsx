import type { Colouring } from "./colouring.js";
import type { Group } from "./groups.js";
import { clearHighlight, highlighted, highlightGroup } from "./highlight.js";

/** What each colour means, and of how many items; a click lets those items stand out. */
export function Legend({ colouring }: { colouring: Colouring }) {
  const { groups, coloured, field, sentence } = colouring;
  const entries = groups.map((group, i) => <Entry key={i} {...{ group, i, colouring }} />);
  const rarer = entries.slice(coloured);
  return (
    <section class="map-legend" aria-label="Colours">
      <h2>{field ?? "Kind"}</h2>
      {sentence !== undefined && <p class="sentence">{sentence}</p>}
      <ul>{entries.slice(0, coloured)}</ul>
      {rarer.length > 2 ? (
        <details>
          <summary class="quiet">{rarer.length} more, in grey</summary>
          <ul>{rarer}</ul>
        </details>
      ) : (
        <ul>{rarer}</ul>
      )}
    </section>
  );
}

function Entry({ group, i, colouring }: { group: Group; i: number; colouring: Colouring }) {
  const isPicked = highlighted.value.group === i;
  return (
    <li>
      <button
        type="button"
        class="plain"
        aria-pressed={isPicked}
        title={group.label}
        onClick={() => (isPicked ? clearHighlight() : highlightGroup(colouring, i))}
      >
        <i class="square" aria-hidden="true" style={{ background: `var(${group.colour})` }} />
        <span class="name">{group.label}</span>
        <span class="count">{group.count.toLocaleString()}</span>
      </button>
    </li>
  );
}
