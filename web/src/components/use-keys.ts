import { useEffect } from "preact/hooks";
import { isTyping } from "../keys.js";
import { needsKey } from "../server.js";

/** Keys of a view while it is shown. A handler that returns true has used its key. */
export function useKeys(handlers: Record<string, (event: KeyboardEvent) => boolean | undefined>) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (needsKey.peek() || isTyping(event)) return;
      if (handlers[event.key]?.(event)) event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}
