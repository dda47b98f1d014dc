import { useEffect, useRef } from "preact/hooks";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import { refuses } from "../../access.js";
import { Needs, WhyOff } from "../../components/needs.js";
import { Notice } from "../../components/notice.js";
import { toast } from "../../components/toasts.js";
import { useDropping } from "../../components/use-dropping.js";
import { useKeys } from "../../components/use-keys.js";
import { droppedFiles, type FoundFile, mediaFiles, refusal } from "../../files.js";
import { modalityOf } from "../../media.js";
import { linkTo } from "../../router.js";
import { returns, sentenceOf, server } from "../../server.js";
import { status } from "../../status.js";
import { collectionNamed, collections, freeName, refreshCollections } from "./collections.js";
import { Details } from "./details.js";
import { GalleryQueries, galleryCount, galleryFiles, galleryName } from "./example-gallery.js";
import { feed, loadMore, reload, startFeed } from "./feed.js";
import { FilterChips } from "./filter-chips.js";
import { focused } from "./focus.js";
import { Marked } from "./marked-bar.js";
import { NewCollection } from "./new-collection.js";
import { ask, askWithMedia, mediaQuery, query } from "./query.js";
import { QueryBox } from "./query-box.js";
import { Results } from "./results.js";
import "./search.css";
import { stopPlaying } from "./player.js";
import { marked, markedItems } from "./selection.js";
import { AddButtons, Sidebar } from "./sidebar.js";
import { layoutOf, Summary } from "./summary.js";
import { UploadLine } from "./upload-line.js";
import { addFiles, upload } from "./uploads.js";
import { Viewer } from "./viewer.js";

/** Collections: create, fill, browse and search them. */
export default function SearchView() {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => void refreshCollections(), [returns.value]);
  useEffect(startFeed, []);
  useEffect(() => stopPlaying, []);
  useKeys({
    "/": () => {
      box.current?.focus();
      box.current?.select();
      return true;
    },
  });
  const { state, list, sentence } = collections.value;
  const name = query.value.collection;
  const current = collectionNamed(name);
  // The first collection is as good as any to begin with.
  useEffect(() => {
    if (name === undefined && list.length > 0) ask({ collection: list[0].name }, { replace: true });
  }, [name, list]);
  const onFiles = (found: readonly FoundFile[]) => void take(found, current);
  const isOver = useDropping(async (data) => {
    const found = await droppedFiles(data);
    const [only] = found;
    const modality = found.length === 1 ? modalityOf(only.file) : undefined;
    // One picture or sound over a collection with items is a question; several are to be added.
    if (current && current.count > 0 && (modality === "image" || modality === "audio"))
      askWithMedia(only.file, modality);
    else if (found.length > 0) onFiles(found);
  });
  return (
    <main class={`wide search ${isOver ? "dropping" : ""}`}>
      <h1 class="only-read-aloud">Search</h1>
      {state === "failed" && list.length === 0 && (
        <Notice
          kind="bad"
          title="The collections cannot be read"
          action={["Try again", refreshCollections]}
        >
          {sentence}
        </Notice>
      )}
      {state === "ready" && list.length === 0 && (
        <div class="notice">
          <strong>No collections yet</strong>
          <p>
            Choose or drop a folder of pictures or sounds; it becomes a collection that you can
            search by a sentence, a picture or a sound.
          </p>
          <div class="row">
            <AddButtons onFiles={onFiles} />
            <Needs scope="write">
              <button type="button" onClick={addGallery}>
                Try it with {galleryCount} photographs
              </button>
            </Needs>
          </div>
          <WhyOff scope="write" doing="Making a collection" />
        </div>
      )}
      {state === "ready" && list.length === 0 && (
        <div class="notice">
          <p>Or make an empty one:</p>
          <Needs scope="write">
            <NewCollection onDone={() => undefined} />
          </Needs>
        </div>
      )}
      {list.length > 0 && <Sidebar current={current} onFiles={onFiles} />}
      {list.length > 0 && (
        <div class="found">
          <UploadLine />
          {name !== undefined && current === undefined && state === "ready" && <Gone name={name} />}
          {current !== undefined && (
            <>
              <QueryBox inputRef={box} />
              {name === galleryName && <GalleryQueries />}
              <FilterChips />
              {markedItems.value.length === 0 ? (
                <Summary collection={current} />
              ) : (
                <Marked collection={current} />
              )}
              <Found collection={current} />
            </>
          )}
        </div>
      )}
      {list.length === 0 && <UploadLine />}
      {current !== undefined && <Viewer collection={current.name} />}
      {current !== undefined &&
        (focused.value !== undefined ? (
          <Details key={current.name} collection={current} item={focused.value} />
        ) : (
          // Its place is kept, so that the grid does not jump when an item is selected.
          <aside class="details-place sentence">
            {current.count > 0 && "Click an item to see its details and what is like it."}
          </aside>
        ))}
    </main>
  );
}

function Gone({ name }: { name: string }) {
  return (
    <Notice
      title={`There is no collection ${name}`}
      action={["To the others", () => ask({ collection: undefined })]}
    >
      It was deleted, or the address belongs to another server.
    </Notice>
  );
}

function Found({ collection }: { collection: CollectionAnswer }) {
  const { state, items, sentence } = feed.value;
  if (state === "gone")
    return (
      <Notice title="This is gone" action={["Look again", refreshCollections]}>
        {sentence}
      </Notice>
    );
  if (state === "unknown")
    return (
      <Notice
        title="These items are not chosen here"
        action={["Show all items", () => ask({ chosen: undefined })]}
      >
        They were chosen on the map, in another window or before this one was closed. Encircle them
        again <a href={linkTo("map", [collection.name])}>on the map</a>.
      </Notice>
    );
  if (state === "failed")
    return (
      <Notice kind="bad" title="The search failed" action={["Try again", reload]}>
        {sentence}
      </Notice>
    );
  if (items.length === 0 && state === "ready")
    return upload.value?.state === "running" ? (
      <p class="sentence">They appear here as they come in.</p>
    ) : collection.count === 0 ? (
      <Notice title={`${collection.name} is empty`}>
        Drop pictures, sounds or a folder of them here.
      </Notice>
    ) : (
      <Notice title="Nothing fits the filters">Remove one of them above.</Notice>
    );
  return (
    <>
      <Results collection={collection.name} layout={layoutOf(collection)} />
      {state === "ready" && sentence !== "" && (
        <Notice kind="bad" title="The rest could not be loaded" action={["Try again", loadMore]}>
          {sentence}
        </Notice>
      )}
    </>
  );
}

/** Adds what was chosen or dropped: to the collection that is open, or to a new one. */
async function take(
  found: readonly FoundFile[],
  current: CollectionAnswer | undefined,
  newName?: string,
) {
  const [first] = mediaFiles(found);
  if (first === undefined) {
    if (found.length > 0) toast(refusal(found.map(({ file }) => file)));
    return;
  }
  if (refuses("write", "Adding files")) return;
  let name = current?.name;
  try {
    if (name === undefined) {
      const folder = first.path.includes("/") ? first.path.split("/")[0] : undefined;
      const modality = modalityOf(first.file)!;
      name = freeName(newName ?? folder ?? `${modality}s`);
      const model = status.peek().models.find(({ modalities }) => modalities.includes(modality));
      await server.peek().createCollection({ name, model: model?.id, keep_media: true });
      await refreshCollections();
      ask({ collection: name });
    }
  } catch (error) {
    toast(sentenceOf(error));
    return;
  }
  void addFiles(name, found);
}

async function addGallery() {
  try {
    await take(await galleryFiles(), undefined, galleryName);
  } catch (error) {
    toast(sentenceOf(error));
  }
}

// A picture or sound belongs to the collection that it was dropped on.
let lastCollection: string | undefined;
query.subscribe(({ collection }) => {
  if (collection !== lastCollection && lastCollection !== undefined) {
    mediaQuery.value = undefined;
    marked.value = new Set();
  }
  lastCollection = collection;
});
