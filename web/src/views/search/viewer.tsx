import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { Preview } from "../../components/preview.js";
import { needsKey } from "../../server.js";
import { focused, focusRequests } from "./focus.js";
import { mediaUrlOf } from "./player.js";

const isOpen = signal(false);

export const openViewer = () => {
  isOpen.value = true;
};

/** The selected picture as large as the window; the arrow keys go to the next one. */
export function Viewer({ collection }: { collection: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const item = focused.value;
  const isShown = isOpen.value && item?.modality === "image" && !needsKey.value;
  useEffect(() => {
    if (isShown && !dialog.current?.open) dialog.current?.showModal();
    else if (!isShown) dialog.current?.close();
  }, [isShown]);
  return (
    <dialog
      ref={dialog}
      class="viewer"
      aria-label={item?.id ?? "Picture"}
      onClose={() => {
        isOpen.value = false;
        focusRequests.value++;
      }}
      onKeyDown={(event) => {
        // The keys of the results go on to the next picture; these two close
        if (event.key !== "Escape" && event.key !== " ") return;
        event.stopPropagation();
        if (event.key === " ") {
          event.preventDefault();
          dialog.current?.close();
        }
      }}
    >
      {isShown && item !== undefined && (
        <>
          <Original key={item.id} collection={collection} />
          <p class="row">
            <span class="name">{item.id}</span>
            <span class="sentence">arrows: the next; a click: its true size</span>
            <form method="dialog" class="right">
              <button type="submit">Close</button>
            </form>
          </p>
        </>
      )}
    </dialog>
  );
}

function Original({ collection }: { collection: string }) {
  const [isWhole, setWhole] = useState(true);
  const [isUnreadable, setUnreadable] = useState(false);
  const item = focused.value!;
  const url = mediaUrlOf(item);
  if (url === undefined || isUnreadable)
    return (
      <div class="picture">
        <Preview collection={collection} item={item} />
        <p class="sentence">
          {url === undefined
            ? "Only this preview is kept."
            : "This browser cannot show this kind of picture: this is its preview."}
        </p>
      </div>
    );
  return (
    <div class={`picture ${isWhole ? "whole" : "true-size"}`}>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: a larger view of what is seen already */}
      <img
        src={url}
        alt={item.id}
        onError={() => setUnreadable(true)}
        onClick={() => setWhole(!isWhole)}
      />
    </div>
  );
}
