import { signal } from "@preact/signals";

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
  toasts.value = [...toasts.value, { id, text, action }];
  setTimeout(() => dismiss(id), shownMs);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function Toasts() {
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
