import { useEffect, useRef, useState } from "preact/hooks";
import { toast } from "../../components/toasts.js";
import { collections, refreshCollections } from "../search/collections.js";
import { measure, measured } from "./report.js";

/** Where the two sides come from: a collection of several modalities, or two files. */
export function SourceForm() {
  useEffect(() => void refreshCollections(), []);
  const files = useRef<HTMLInputElement>(null);
  const [pairBy, setPairBy] = useState("");
  const source = measured.value?.source;
  const chosen = source && "collection" in source ? source.collection : "";
  const mixed = collections.value.list.filter(
    ({ count_by_modality: counts }) => Object.values(counts).filter((n) => n >= 4).length > 1,
  );
  const onFiles = (given: readonly File[]) => {
    if (given.length !== 2 || given.some(({ name }) => !name.endsWith(".npy"))) {
      toast("Choose two .npy files, the pictures or sounds and the texts.");
      return;
    }
    // Which is which is told by the names, else by their order.
    const isText = ({ name }: File) => /text|caption/i.test(name);
    const [a, b] = isText(given[0]) ? [given[1], given[0]] : given;
    const aModality = /audio|sound/i.test(a.name) ? "audio" : "image";
    void measure({ a, b, aModality, paired: true });
  };
  return (
    <div class="row">
      {mixed.length > 0 && (
        <select
          aria-label="Collection"
          value={chosen}
          onChange={({ currentTarget }) =>
            currentTarget.value && void measure({ collection: currentTarget.value, pairBy })
          }
        >
          <option value="">choose a collection</option>
          {mixed.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      {mixed.length > 0 && (
        <input
          aria-label="Field that pairs share"
          placeholder="field that pairs share"
          value={pairBy}
          onInput={({ currentTarget }) => setPairBy(currentTarget.value)}
          onChange={() => chosen && void measure({ collection: chosen, pairBy })}
        />
      )}
      <button type="button" onClick={() => files.current?.click()}>
        Two .npy files…
      </button>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        accept=".npy"
        aria-label="Embeddings of both sides"
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = "";
        }}
      />
    </div>
  );
}
