import { useEffect } from "preact/hooks";

/** The key goes to a field that is being edited. */
export const isTextField = ({ target }: KeyboardEvent) =>
  (target as HTMLElement).matches(
    "input:not([type=checkbox]), textarea, select, [contenteditable]",
  );

/** The key belongs to the field being edited, or to the browser. */
export const isTyping = (event: KeyboardEvent) =>
  event.ctrlKey || event.metaKey || event.altKey || isTextField(event);

/** Keys of a view while it is shown. A handler that returns true has used its key. */
export function useKeys(handlers: Record<string, (event: KeyboardEvent) => boolean | undefined>) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event)) return;
      if (handlers[event.key]?.(event)) event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}
