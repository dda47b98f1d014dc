import { useState } from "preact/hooks";
import type { Modality } from "../../../../src/encoders/encoder.js";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import { Needs } from "../../components/needs.js";
import { Preview } from "../../components/preview.js";
import { toast } from "../../components/toasts.js";
import { fileNameOf, modalityNames, similarityText } from "../../media.js";
import { linkTo } from "../../router.js";
import { sentenceOf, server } from "../../server.js";
import { kindsOf, refreshCollections } from "./collections.js";
import type { Shown } from "./feed.js";
import { closeDetails } from "./focus.js";
import { mediaUrlOf } from "./player.js";
import { ask } from "./query.js";
import { deleteItems } from "./selection.js";
import { SoundPlayer } from "./sound-player.js";
import { tagItems, tagsOf, untagItem } from "./tags.js";
import { openViewer } from "./viewer.js";

/** The details of the selected item, and similar ones. */
export function Details({ collection, item }: { collection: CollectionAnswer; item: Shown }) {
  const { id, modality, similarity, metadata, source, added_at } = item;
  const others = kindsOf(collection).filter((other) => other !== modality);
  const tags = tagsOf(metadata);
  const mediaUrl = mediaUrlOf(item);
  const similar = (only?: Modality) => ask({ itemId: id, text: "", modality: only });
  return (
    <aside class="details" aria-label={`Item ${id}`}>
      <button type="button" class="plain close" aria-label="Close" onClick={closeDetails}>
        ×
      </button>
      <Content collection={collection.name} item={item} />
      <dl>
        <Fact name="id" value={id} />
        {similarity !== undefined && <Fact name="similarity" value={similarityText(similarity)} />}
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
              <Needs scope="write">
                <button
                  type="button"
                  class="plain"
                  aria-label={`Take the tag ${tag} away`}
                  onClick={() => untagItem(collection.name, item, tag)}
                >
                  ×
                </button>
              </Needs>
            </li>
          ))}
        </ul>
      )}
      {similarity !== undefined && (
        <p class="sentence">
          Similarity is 1 for the same and 0 for nothing in common; between a sentence and a picture
          or sound, 0.3 is high.
        </p>
      )}
      <div class="row">
        <button type="button" class="primary" onClick={() => similar()}>
          Find similar <kbd>s</kbd>
        </button>
        {others.map((other) => (
          <button key={other} type="button" onClick={() => similar(other)}>
            Similar {modalityNames[other]}s
          </button>
        ))}
        <a class="button" href={linkTo("map", [collection.name], { item: id })}>
          On the map
        </a>
        <TagButton collection={collection.name} items={[item]} />
        {mediaUrl !== undefined && (
          <a class="button" href={mediaUrl} download={fileNameOf(id)}>
            Download
          </a>
        )}
        <Needs scope="write">
          <button type="button" onClick={() => deleteItems(collection.name, [item])}>
            Delete
          </button>
        </Needs>
      </div>
      {mediaUrl === undefined && modality !== "text" && <Unkept collection={collection} />}
    </aside>
  );
}

/** A picture that opens, a sound that plays, a text. */
function Content({ collection, item }: { collection: string; item: Shown }) {
  const isKept = item.media_url !== undefined;
  if (isKept && item.modality === "audio")
    return <SoundPlayer collection={collection} item={item} />;
  if (!isKept || item.modality === "text") return <Preview collection={collection} item={item} />;
  return (
    <button type="button" class="plain open-picture" title="Open it" onClick={openViewer}>
      <Preview collection={collection} item={item} />
    </button>
  );
}

/** Why there is no more than a preview, and what to do about it. */
function Unkept({ collection: { name, keep_media } }: { collection: CollectionAnswer }) {
  const keep = async () => {
    try {
      await server.peek().changeCollection(name, { keep_media: true });
      toast("Files that are added from now on are kept; add these again to keep them too");
      await refreshCollections();
    } catch (error) {
      toast(sentenceOf(error));
    }
  };
  return (
    <p class="sentence">
      Only a preview of this is kept, not the file.{" "}
      {!keep_media && (
        <Needs scope="write">
          <button type="button" class="plain link" onClick={keep}>
            Keep files from now on
          </button>
        </Needs>
      )}
    </p>
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
      <Needs scope="write">
        <button type="button" onClick={() => setOpen(true)}>
          Tag…
        </button>
      </Needs>
    );
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const typed = String(new FormData(event.currentTarget as HTMLFormElement).get("tag"));
        setOpen(false);
        void tagItems(
          collection,
          items,
          typed
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
