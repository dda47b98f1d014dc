import { useEffect, useRef } from "preact/hooks";
import { isTyping } from "../keys.js";

const keys = [
  ["/", "to the query or the labels"],
  ["arrows", "from item to item; in a sound, to another moment"],
  ["home, end, page up, page down", "far among the items"],
  ["x", "select"],
  ["s", "similar items"],
  ["ctrl z", "undo the last change, while a message offers it"],
  ["space, enter", "play or pause; open the picture"],
  ["esc", "back, close"],
  ["?", "this list"],
] as const;

/** `?` and its list of keys. */
export function HelpButton() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "?" && !isTyping(event)) dialog.current?.showModal();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button
        type="button"
        class="help"
        aria-label="Keys"
        onClick={() => dialog.current?.showModal()}
      >
        ?
      </button>
      <dialog ref={dialog} aria-label="Keys">
        <h2>Keyboard</h2>
        <dl>
          {keys.map(([key, does]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}
