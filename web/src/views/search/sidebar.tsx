import { useRef, useState } from "preact/hooks";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import { whyNot } from "../../access.js";
import { Needs } from "../../components/needs.js";
import { toast } from "../../components/toasts.js";
import { byPath, type FoundFile, pathOf } from "../../files.js";
import { linkTo } from "../../router.js";
import { sentenceOf, server } from "../../server.js";
import { collections, refreshCollections } from "./collections.js";
import { Facets } from "./facets.js";
import { NewCollection } from "./new-collection.js";
import { ask } from "./query.js";

/** Collections with their counts, and the contents of the open one. */
export function Sidebar({
  current,
  onFiles,
}: {
  current: CollectionAnswer | undefined;
  onFiles: (found: readonly FoundFile[]) => void;
}) {
  const [isMaking, setMaking] = useState(false);
  // On a narrow window the query and its results come first
  const [isOpen, setOpen] = useState(false);
  return (
    <aside
      class={`sidebar ${isOpen || current === undefined ? "open" : ""}`}
      aria-label="Collections"
    >
      {current !== undefined && (
        <button
          type="button"
          class="sidebar-toggle"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <span class="name">{current.name}</span>
          <span class="count">{current.count.toLocaleString()}</span>
          <span class="right">{isOpen ? "Close ▴" : "Collections, filters ▾"}</span>
        </button>
      )}
      <ul class="collections">
        {collections.value.list.map(({ name, count }) => (
          <li key={name}>
            <a href={linkTo("search", [name])} aria-current={name === current?.name || undefined}>
              <span class="name">{name}</span>
              <span class="count">{count.toLocaleString()}</span>
            </a>
          </li>
        ))}
        {!isMaking && (
          <li>
            <Needs scope="write">
              <button type="button" class="plain quiet" onClick={() => setMaking(true)}>
                New collection…
              </button>
            </Needs>
          </li>
        )}
      </ul>
      {isMaking && (
        <NewCollection onDone={() => setMaking(false)} onCancel={() => setMaking(false)} />
      )}
      {current !== undefined && !isMaking && (
        <div class="row">
          <AddButtons onFiles={onFiles} />
        </div>
      )}
      {current !== undefined && !isMaking && (
        <p class="sentence">{whyNot("write", "Changing a collection") ?? dropSentence(current)}</p>
      )}
      {current !== undefined && current.count > 0 && <Facets current={current} />}
      {current !== undefined && <DeleteCollection name={current.name} />}
    </aside>
  );
}

function dropSentence({ count, keep_media }: CollectionAnswer): string {
  const drop =
    count === 0
      ? "Or drop files or a folder here."
      : "Or drop a folder or several files here; a picture or sound alone is searched with.";
  return keep_media ? `${drop} A copy of each is kept.` : drop;
}

export function AddButtons({ onFiles }: { onFiles: (found: readonly FoundFile[]) => void }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const onChosen = ({ currentTarget }: Event) => {
    const input = currentTarget as HTMLInputElement;
    onFiles(byPath([...(input.files ?? [])].map((file) => ({ file, path: pathOf(file) }))));
    input.value = "";
  };
  return (
    <Needs scope="write">
      <button type="button" onClick={() => files.current?.click()}>
        Add files…
      </button>
      <button type="button" onClick={() => folder.current?.click()}>
        Add folder…
      </button>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        onChange={onChosen}
        aria-label="Files to add"
      />
      <input
        ref={folder}
        type="file"
        hidden
        onChange={onChosen}
        aria-label="Folder to add"
        {...{ webkitdirectory: true }}
      />
    </Needs>
  );
}

function DeleteCollection({ name }: { name: string }) {
  const [isAsking, setAsking] = useState(false);
  const remove = async () => {
    try {
      await server.peek().deleteCollection(name);
      toast(`${name} is deleted`);
      ask({ collection: undefined, text: "", itemId: undefined });
    } catch (error) {
      toast(sentenceOf(error));
    }
    await refreshCollections();
  };
  return isAsking ? (
    <div class="row">
      <span class="sentence">Delete {name} with all of its items, for good?</span>
      <button type="button" class="danger" onClick={remove}>
        Delete
      </button>
      <button type="button" onClick={() => setAsking(false)}>
        Keep
      </button>
    </div>
  ) : (
    <Needs scope="write">
      <button type="button" class="plain quiet" onClick={() => setAsking(true)}>
        Delete this collection…
      </button>
    </Needs>
  );
}
