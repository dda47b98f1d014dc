import { useEffect, useRef, useState } from "preact/hooks";
import { modalityNames } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import { status } from "../../status.js";
import { refreshCollections } from "./collections.js";
import { ask } from "./query.js";

/** Makes a collection for a model. */
export function NewCollection({ onDone, onCancel }: { onDone: () => void; onCancel?: () => void }) {
  const [failure, setFailure] = useState("");
  const [typed, setTyped] = useState("");
  const { models } = status.value;
  const nameInput = useRef<HTMLInputElement>(null);
  // Where it was asked for, and not where it is one of several ways to begin
  useEffect(() => {
    if (onCancel !== undefined) nameInput.current?.focus();
  }, []);
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const name = nameFrom(typed);
    try {
      await server.peek().createCollection({
        name,
        model: String(form.get("model")),
        keep_media: form.has("keep"),
      });
      await refreshCollections();
      onDone();
      ask({
        collection: name,
        text: "",
        itemId: undefined,
        modality: undefined,
        filter: undefined,
        chosen: undefined,
      });
    } catch (error) {
      setFailure(sentenceOf(error));
    }
  };
  return (
    <form class="new-collection" onSubmit={onSubmit}>
      <label>
        Name
        <input
          required
          maxLength={64}
          autocomplete="off"
          value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          ref={nameInput}
        />
        {nameFrom(typed) !== typed.trim() && (
          <span class="quiet">will be called {nameFrom(typed)}</span>
        )}
      </label>
      <label>
        Model
        <select name="model">
          {models.map(({ id, modalities }) => (
            <option key={id} value={id}>
              {id}: {modalities.map((modality) => `${modalityNames[modality]}s`).join(", ")}
            </option>
          ))}
        </select>
      </label>
      <p class="sentence">
        It takes what its model understands, and what another model understands if there is a bridge
        from that one.
      </p>
      <label class="check">
        <input type="checkbox" name="keep" defaultChecked />
        keep copies of the files, to see and hear them in full
      </label>
      {failure !== "" && (
        <p class="bad" role="alert">
          {failure}
        </p>
      )}
      <div class="row">
        <button type="submit" class="primary">
          Create
        </button>
        {onCancel !== undefined && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}

/** Names stand in addresses: "my sounds" becomes my-sounds. */
const nameFrom = (typed: string) => typed.trim().replace(/\s+/g, "-");
