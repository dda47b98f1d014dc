import { useEffect, useRef, useState } from "preact/hooks";
import { needsKey, returns, sentenceOf } from "../server.js";

/**
 * Asks again and again while the view is shown in a visible tab, and when the window is looked at
 * again; the last answer stays meanwhile.
 * @param ask  undefined: not now.
 * @param intervalMs  undefined for what changes by this page, or seldom: asked anew only when
 *   somebody comes back to the window, and by `askNow`.
 */
export function usePolled<T>(ask: (() => Promise<T>) | undefined, intervalMs?: number) {
  const [answer, setAnswer] = useState<T>();
  const [failure, setFailure] = useState("");
  const [round, setRound] = useState(0);
  const askNow = () => setRound((n) => n + 1);
  const latest = useRef(ask);
  latest.current = ask;
  const isOff = ask === undefined;
  useEffect(() => {
    if (isOff) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      try {
        if (document.visibilityState === "visible" && !needsKey.peek()) {
          const next = await latest.current!();
          if (isOver) return;
          setAnswer(next);
          setFailure("");
        }
      } catch (error) {
        if (!isOver) setFailure(sentenceOf(error));
      }
      if (!isOver && intervalMs !== undefined) timer = setTimeout(run, intervalMs);
    };
    void run();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [intervalMs, isOff, round, returns.value]);
  useEffect(() => {
    const onLookedAt = () => document.visibilityState === "visible" && askNow();
    addEventListener("focus", onLookedAt);
    document.addEventListener("visibilitychange", onLookedAt);
    return () => {
      removeEventListener("focus", onLookedAt);
      document.removeEventListener("visibilitychange", onLookedAt);
    };
  }, []);
  return { answer, failure, askNow };
}
