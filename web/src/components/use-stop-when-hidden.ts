import { useEffect } from "preact/hooks";
import { needsKey } from "../server.js";
import { toast } from "./toasts.js";

/**
 * Stops what must not go on unseen when the page asks for a key, which hides the view with its Stop
 * button. What `stop` returns is said once the view is back; undefined if there was nothing to
 * stop.
 */
export function useStopWhenHidden(stop: () => string | undefined): void {
  useEffect(() =>
    needsKey.subscribe((isHidden) => {
      const sentence = isHidden ? stop() : undefined;
      if (sentence !== undefined) sayWhenBack(sentence);
    }),
  );
}

function sayWhenBack(sentence: string): void {
  const stopWaiting = needsKey.subscribe((isHidden) => {
    if (isHidden) return;
    toast(sentence);
    stopWaiting();
  });
}
