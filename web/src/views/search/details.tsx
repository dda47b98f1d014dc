import { useState } from "preact/hooks";
import type { Modality } from "../../../../src/encoders/encoder.js";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import { Preview } from "../../components/preview.js";
import { modalityNames } from "../../media.js";
import { linkTo } from "../../router.js";
import { kindsOf } from "./collections.js";
import type { Shown } from "./feed.js";
import { ask } from "./query.js";
import { deleteItems, focusedId, tagItems, tagsOf, untagItem } from "./selection.js";

/** What is known of the item in hand, and where it leads. */
export function Details({ collection, item }: { collection: CollectionAnswer; item: Shown }) {
  const { id, modality, similarity, metadata, source, added_at } = item;
  const others = kindsOf(collection).filter((other) => other !== modality);
  const tags = tagsOf(metadata);
  const similar = (only?: Modality) => ask({ itemId: id, text: "", modality: only });
  return (
    <aside class="details" aria-label={`Item ${id}`}>
      <button
        type="button"
        class="plain close"
        aria-label="Close"
        onClick={() => {
          focusedId.value = undefined;
        }}
      >
        ×
      </button>
      <Preview collection={collection.name} item={item} />
      <dl>
        <Fact name="id" value={id} />
        {similarity !== undefined && <Fact name="cosine" value={similarity.toFixed(3)} />}
        {added_at !== undefined && (
          <Fact name="added" value={new Date(added_at).toLocaleString()} />
        )}
        {source !== undefined && <Fact name="source" value={source} />}
        {Object.entries(metadata)
          .filter(([name]) => name !== "tags" || tags.length === 0)
          .map(([name, value]) => (
            <Fact
              key={name}
              name={name}
              value={typeof value === "string" ? value : JSON.stringify(value)}
            />
          ))}
      </dl>
      {tags.length > 0 && (
        <ul class="row tags" aria-label="Tags">
          {tags.map((tag) => (
            <li class="chip" key={tag}>
              <span class="name">{tag}</span>
              <button
                type="button"
                class="plain"
                aria-label={`Take the tag ${tag} away`}
                onClick={() => untagItem(collection.name, item, tag)}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      {similarity !== undefined && (
        <p class="sentence">
          Cosine is 1 for the same direction and 0 for nothing in common; between modalities 0.3 is
          much.
        </p>
      )}
      <div class="row">
        <button type="button" class="primary" onClick={() => similar()}>
          Find similar <kbd>s</kbd>
        </button>
        {others.map((other) => (
          <button key={other} type="button" onClick={() => similar(other)}>
            {modalityNames[other]}s like this
          </button>
        ))}
        <a class="button" href={linkTo("map", [collection.name], { item: id })}>
          On the map
        </a>
        <TagButton collection={collection.name} items={[item]} />
        <button type="button" onClick={() => deleteItems(collection.name, [item])}>
          Delete
        </button>
      </div>
    </aside>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

export function TagButton({ collection, items }: { collection: string; items: readonly Shown[] }) {
  const [isOpen, setOpen] = useState(false);
  if (!isOpen)
    return (
      <button type="button" onClick={() => setOpen(true)}>
        Tag…
      </button>
    );
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const given = String(new FormData(event.currentTarget as HTMLFormElement).get("tag"));
        setOpen(false);
        void tagItems(
          collection,
          items,
          given
            .split(",")
            .map((tag) => tag.trim())
            .filter(Boolean),
        );
      }}
    >
      <input
        name="tag"
        aria-label="Tag"
        placeholder="tags, with commas between"
        size={20}
        ref={(element) => element?.focus()}
        onKeyDown={(event) => event.key === "Escape" && setOpen(false)}
      />
      <button type="submit">Tag</button>
    </form>
  );
}
