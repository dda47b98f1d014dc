import { useState } from "preact/hooks";
import { Needs } from "../../components/needs.js";

interface Props {
  /** Ids that are installed and not loaded. */
  notLoaded: readonly string[];
  onLoad: (id: string) => Promise<void>;
  onPull: (name: string) => Promise<void>;
}

/** Loads what is installed; pulls what is not. */
export function LoadForm({ notLoaded, onLoad, onPull }: Props) {
  const [isLoading, setLoading] = useState(false);
  const [name, setName] = useState("");
  const load = async (id: string) => {
    setLoading(true);
    await onLoad(id);
    setLoading(false);
  };
  return (
    <div class="row load-models">
      <Needs scope="admin">
        {notLoaded.length > 0 && (
          <select
            aria-label="Load an installed model"
            value=""
            disabled={isLoading}
            onChange={({ currentTarget }) => void load(currentTarget.value)}
          >
            <option value="">{isLoading ? "Loading…" : "Load an installed model"}</option>
            {notLoaded.map((id) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
        )}
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== "") void onPull(name.trim()).then(() => setName(""));
          }}
        >
          <input
            aria-label="Model to pull"
            placeholder="owner/name of the hub"
            value={name}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
          <button type="submit">Pull and load</button>
        </form>
      </Needs>
      <span class="sentence">
        Pulling is the only thing here that uses the network. After a restart, what the option
        “models” names is loaded.
      </span>
    </div>
  );
}
