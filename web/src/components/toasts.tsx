import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { isTextField } from "../keys.js";

interface Toast {
  id: number;
  text: string;
  action?: [label: string, onClick: () => void];
}

const toasts = signal<readonly Toast[]>([]);
const shownMs = 10_000;
let lastId = 0;

/** Says what was done, for ten seconds; with an action, say Undo. */
export function toast(text: string, action?: Toast["action"]): void {
  const id = ++lastId;
  // The same sentence again, with nothing to undo, stands there once.
  const others = toasts.value.filter((one) => one.text !== text || one.action !== undefined);
  toasts.value = [...others, { id, text, action }];
  setTimeout(() => dismiss(id), shownMs);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

/** Toasts, the newest last; ctrl+z undoes the newest that can be undone. */
export function Toasts() {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || isTextField(event)) return;
      const last = toasts.peek().findLast(({ action }) => action?.[0] === "Undo");
      if (last?.action === undefined) return;
      event.preventDefault();
      dismiss(last.id);
      last.action[1]();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ id, text, action }) => (
        <div class="toast" key={id}>
          {text}
          {action !== undefined && (
            <button
              type="button"
              onClick={() => {
                dismiss(id);
                action[1]();
              }}
            >
              {action[0]}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
