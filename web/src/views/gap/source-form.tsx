import { useEffect, useRef, useState } from "preact/hooks";
import type { Modality } from "../../../../src/encoders/encoder.js";
import { toast } from "../../components/toasts.js";
import { useCollectionFields } from "../../components/use-collection-fields.js";
import { modalityNames } from "../../media.js";
import {
  collectionNamed,
  collections,
  kindsOf,
  refreshCollections,
} from "../search/collections.js";
import { measure, measured, type Source } from "./report.js";

/** Where the two sides come from: a collection of several modalities, or two files. */
export function SourceForm() {
  useEffect(() => void refreshCollections(), []);
  const files = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState<string>();
  const source = measured.value?.source;
  const pairBy = typed ?? (source && "collection" in source ? source.pairBy : "");
  const chosen = source && "collection" in source ? source.collection : "";
  const current = collectionNamed(chosen);
  const fields = useCollectionFields(chosen, { values: 1 });
  const kinds = current === undefined ? [] : kindsOf(current);
  const mixed = collections.value.list.filter(
    ({ count_by_modality: counts }) => Object.values(counts).filter((n) => n >= 4).length > 1,
  );
  const onFiles = (files: readonly File[]) => {
    if (files.length !== 2 || files.some(({ name }) => !name.endsWith(".npy"))) {
      toast("Choose two .npy files, the pictures or sounds and the texts.");
      return;
    }
    // The names tell which is which, otherwise their order.
    const isText = ({ name }: File) => /text|caption/i.test(name);
    const [a, b] = isText(files[0]) ? [files[1], files[0]] : files;
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
      {source && "collection" in source && kinds.length > 2 && (
        <Sides source={source} kinds={kinds} />
      )}
      {mixed.length > 0 && (
        <input
          aria-label="Field that pairs share"
          placeholder="field that pairs share"
          list="pair-fields"
          value={pairBy}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          onChange={() => chosen && void measure({ collection: chosen, pairBy })}
        />
      )}
      <datalist id="pair-fields">
        {fields.map(({ field }) => (
          <option key={field} value={field} />
        ))}
      </datalist>
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

/** Which two kinds of a collection with three are measured. */
function Sides({
  source,
  kinds,
}: {
  source: Extract<Source, { collection: string }>;
  kinds: readonly Modality[];
}) {
  const sides = source.sides ?? [kinds[0], kinds[1]];
  return (
    <>
      {(["from", "to"] as const).map((word, i) => (
        <label class="row" key={word}>
          {word}
          <select
            value={sides[i]}
            onChange={({ currentTarget }) => {
              const kind = currentTarget.value as Modality;
              const other = kind === sides[1 - i] ? sides[i] : sides[1 - i];
              void measure({ ...source, sides: i === 0 ? [kind, other] : [other, kind] });
            }}
          >
            {kinds.map((kind) => (
              <option key={kind} value={kind}>
                {modalityNames[kind]}s
              </option>
            ))}
          </select>
        </label>
      ))}
    </>
  );
}
