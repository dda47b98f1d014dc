import { useState } from "preact/hooks";
import { modalityNames } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import { status } from "../../status.js";
import { refreshCollections } from "./collections.js";
import { ask } from "./query.js";

/** Makes a collection for a model. */
export function NewCollection({ onDone }: { onDone: () => void }) {
  const [failure, setFailure] = useState("");
  const { models } = status.value;
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    // Names stand in addresses: "my sounds" becomes my-sounds.
    const name = String(form.get("name")).trim().replace(/\s+/g, "-");
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
      });
    } catch (error) {
      setFailure(sentenceOf(error));
    }
  };
  return (
    <form class="new-collection" onSubmit={onSubmit}>
      <label>
        Name
        <input name="name" required maxLength={64} autocomplete="off" ref={(e) => e?.focus()} />
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
        A model understands what it is made for; other pictures and sounds come in over a bridge
        from another model, where there is one.
      </p>
      <label class="check">
        <input type="checkbox" name="keep" defaultChecked />
        keep the files, to see and hear them in full here
      </label>
      {failure !== "" && (
        <p class="bad" role="alert">
          {failure}
        </p>
      )}
      <button type="submit" class="primary">
        Make it
      </button>
    </form>
  );
}
