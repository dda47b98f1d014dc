import type { Ref } from "preact";
import { useRef } from "preact/hooks";
import { RecordButton } from "../../components/record-button.js";
import { toast } from "../../components/toasts.js";
import { refusal } from "../../files.js";
import { fileNameOf, modalityOf } from "../../media.js";
import { feed } from "./feed.js";
import { focusItem } from "./focus.js";
import { ask, askWithMedia, closeMedia, mediaQuery, query } from "./query.js";

/** One box for a sentence, a picture or a sound. */
export function QueryBox({ inputRef }: { inputRef: Ref<HTMLInputElement> }) {
  const choose = useRef<HTMLInputElement>(null);
  const { text, itemId } = query.value;
  const media = mediaQuery.value;
  const modality = media?.modality ?? "text";
  return (
    <search class="query-box">
      {itemId === undefined && <i class={`square ${modality}`} aria-hidden="true" />}
      {media !== undefined && (
        <Given label={media.name} onClose={closeMedia}>
          {media.modality === "image" && <img src={media.url} alt="" />}
        </Given>
      )}
      {itemId !== undefined && (
        <Given label={`like ${fileNameOf(itemId)}`} onClose={() => ask({ itemId: undefined })} />
      )}
      <input
        ref={inputRef}
        type="search"
        aria-label="Search by a sentence"
        placeholder={media || itemId ? "" : "a sentence, picture or sound"}
        value={text}
        onInput={({ currentTarget }) =>
          ask({ text: currentTarget.value, itemId: undefined }, { replace: text !== "" })
        }
        onKeyDown={(event) => {
          const [first] = feed.peek().items;
          if (event.key === "Escape") {
            // The browser would empty the field, and tell nobody.
            event.preventDefault();
            event.currentTarget.blur();
          } else if (event.key === "ArrowDown" && !event.isComposing && first !== undefined) {
            event.preventDefault();
            focusItem(first.id);
          }
        }}
      />
      <button type="button" onClick={() => choose.current?.click()}>
        Picture or sound…
      </button>
      <RecordButton label="Record" onRecorded={(file) => askWithMedia(file, "audio")} />
      <kbd>/</kbd>
      <input
        ref={choose}
        type="file"
        accept="image/*,audio/*"
        hidden
        aria-label="Search by a file"
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          const kind = file && modalityOf(file);
          if (kind === "image" || kind === "audio") askWithMedia(file, kind);
          else if (file !== undefined) toast(refusal([file]));
          currentTarget.value = "";
        }}
      />
    </search>
  );
}

function Given({
  label,
  onClose,
  children,
}: {
  label: string;
  onClose: () => void;
  children?: preact.ComponentChildren;
}) {
  return (
    <span class="chip">
      {children}
      <span class="name">{label}</span>
      <button type="button" class="plain" aria-label={`Remove ${label}`} onClick={onClose}>
        ×
      </button>
    </span>
  );
}
