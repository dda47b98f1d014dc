import { useState } from "preact/hooks";
import gallery from "../../../../fixtures/gallery.csv?raw";
import { Needs } from "../../components/needs.js";
import { toast } from "../../components/toasts.js";
import { sentenceOf, server } from "../../server.js";
import { status } from "../../status.js";
import { collections, freeName, refreshCollections } from "../search/collections.js";
import { galleryCount, galleryFiles } from "../search/example-gallery.js";
import { measure } from "./report.js";

/** The metadata field that a photograph and its caption share. */
const pairBy = "photograph";

/** The example photographs and their captions in a collection, for a first look at the gap. */
export function ExamplePairs() {
  const [added, setAdded] = useState<number>();
  const model = status.value.models.find(
    ({ modalities }) => modalities.includes("image") && modalities.includes("text"),
  );
  if (model === undefined || collections.value.state !== "ready") return null;
  const start = async () => {
    setAdded(0);
    try {
      measure({ collection: await addPairs(model.id, setAdded), pairBy });
    } catch (error) {
      toast(sentenceOf(error));
    } finally {
      setAdded(undefined);
    }
  };
  return (
    <p class="row example-pairs">
      <Needs scope="write">
        <button type="button" disabled={added !== undefined} onClick={start}>
          Try it with {galleryCount} photographs and their captions
        </button>
      </Needs>
      {added !== undefined && (
        <span class="quiet" role="status">
          {added} of {galleryCount} photographs added
        </span>
      )}
    </p>
  );
}

/** @returns the name of the collection. */
async function addPairs(model: string, onAdded: (count: number) => void): Promise<string> {
  const client = server.peek();
  const captions = captionsByFile();
  const files = await galleryFiles();
  const name = freeName("captions");
  await client.createCollection({ name, model, keep_media: true });
  const texts = files.map(({ path }) => ({
    id: `${path} caption`,
    text: captions.get(path) ?? path,
    metadata: { [pairBy]: path },
  }));
  await client.addItems(name, texts);
  for (const [i, { file, path }] of files.entries()) {
    await client.addItem(name, { id: path, image: file, metadata: { [pairBy]: path } });
    onAdded(i + 1);
  }
  await refreshCollections();
  return name;
}

/** Of the first two columns: the name of the file, and its title. */
function captionsByFile(): ReadonlyMap<string, string> {
  const rows = gallery.matchAll(/^([^,\n]+),([^,\n]*)/gm);
  return new Map([...rows].map(([, file, title]) => [file, title]));
}
