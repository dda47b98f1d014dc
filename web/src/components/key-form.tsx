import { useEffect, useRef } from "preact/hooks";
import { enterKey, hasKey, isRefused, needsKey } from "../server.js";

/** Asked once: the key is kept until the tab is closed. */
export function KeyForm() {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [hasKey.value]);
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
            {isRefused.value
              ? "The server does not accept this key"
              : hasKey.value
                ? "Another key"
                : "This server asks for a key"}
          </strong>
        </label>
        {isRefused.value && (
          <p class="bad" role="alert">
            It is mistyped, has expired, or was revoked.
          </p>
        )}
        <p>
          Whoever runs the server makes one with <code>crossmodal keys create</code>. It stays in
          this tab until you close it.
        </p>
        <div class="row">
          <input id="key" name="key" type="password" autocomplete="off" required ref={field} />
          <button type="submit" class="primary">
            Use key
          </button>
          {hasKey.value && !isRefused.value && (
            <button
              type="button"
              onClick={() => {
                needsKey.value = false;
              }}
            >
              Keep the one in use
            </button>
          )}
        </div>
      </form>
    </main>
  );
}
