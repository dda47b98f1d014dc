import { Preview } from "../../components/preview.js";
import { fileNameOf, modalityNames, similarityText, timeText } from "../../media.js";
import type { Shown } from "./feed.js";
import { focusedId, focusItem } from "./focus.js";
import { ask } from "./query.js";
import { marked, markTo, toggleMark } from "./selection.js";
import { useSoundLength } from "./sound-length.js";
import { PlayButton } from "./sound-player.js";

interface Props {
  collection: string;
  item: Shown;
  column: number;
  /** Whether Tab leads to it, and to the controls in it. */
  isTabStop: boolean;
  isFaint: boolean;
  facts?: string;
}

/** A result. Its cell has the browser's focus, so that a screen reader reads it. */
export function Tile({ collection, item, column, isTabStop, isFaint, facts }: Props) {
  const { id, modality, similarity } = item;
  const isMarked = marked.value.has(id);
  const tabIndex = isTabStop ? 0 : -1;
  const seconds = useSoundLength(collection, item);
  const classes = [
    "tile-frame",
    isMarked && "marked",
    isFaint && "faint",
    focusedId.value === id && "current",
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: only rows in view are there; a table has them all
    <div
      role="gridcell"
      class={classes.filter(Boolean).join(" ")}
      tabIndex={tabIndex}
      aria-colindex={column + 1}
      aria-selected={isMarked}
      aria-label={inWords(item, { seconds, isFaint })}
      data-id={id}
    >
      <button
        type="button"
        class="item"
        tabIndex={-1}
        onClick={(event) => {
          if (event.shiftKey) markTo(id);
          else if (event.ctrlKey || event.metaKey) toggleMark(id);
          else focusItem(id);
        }}
        onDblClick={() => ask({ itemId: id, text: "" })}
      >
        <Preview collection={collection} item={item} />
        <span class="caption">
          <i class={`square ${modality}`} aria-hidden="true" />
          <span class="name" title={id}>
            {fileNameOf(id)}
          </span>
          {seconds !== undefined && <span class="length">{timeText(seconds)}</span>}
          {facts !== undefined && <span class="facts">{facts}</span>}
          {similarity !== undefined && <span class="cosine">{similarityText(similarity)}</span>}
        </span>
      </button>
      <PlayButton collection={collection} item={item} tabIndex={tabIndex} />
      <input
        type="checkbox"
        class="mark-box"
        tabIndex={tabIndex}
        checked={isMarked}
        aria-label={`Select ${id}`}
        onClick={(event) => {
          if (event.shiftKey) markTo(id);
          else toggleMark(id);
        }}
      />
    </div>
  );
}

const maxWords = 120;

/** What is seen of it. */
function inWords(
  { id, modality, text, similarity }: Shown,
  { seconds, isFaint }: { seconds: number | undefined; isFaint: boolean },
): string {
  const content = text === undefined ? [] : [text.slice(0, maxWords)];
  const length = seconds === undefined ? [] : [timeText(seconds)];
  const degree = similarity === undefined ? [] : [`similarity ${similarityText(similarity)}`];
  const certainty = isFaint ? ["less certain"] : [];
  return [
    fileNameOf(id),
    ...content,
    modalityNames[modality],
    ...length,
    ...degree,
    ...certainty,
  ].join(", ");
}
