import { useEffect } from "preact/hooks";

/** The key belongs to what is being written. */
export function isTyping({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  const element = target as HTMLElement;
  return (
    ctrlKey || metaKey || altKey || element.matches("input, textarea, select, [contenteditable]")
  );
}

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
