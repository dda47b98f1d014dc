import { enterKey, hasKey } from "../server.js";

/** Asked once: the key is kept until the tab is closed. */
export function KeyForm() {
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const key = new FormData(event.target as HTMLFormElement).get("key");
    if (typeof key === "string" && key.trim() !== "") enterKey(key.trim());
  };
  return (
    <main>
      <form class="notice key-form" onSubmit={onSubmit}>
        <label for="key">
          <strong>
            {hasKey.value ? "The server does not accept this key" : "This server asks for a key"}
          </strong>
        </label>
        <p>A key made with crossmodal keys create. It stays in this tab until you close it.</p>
        <div class="row">
          <input
            id="key"
            name="key"
            type="password"
            autocomplete="off"
            required
            ref={(element) => element?.focus()}
          />
          <button type="submit" class="primary">
            Use key
          </button>
        </div>
      </form>
    </main>
  );
}
