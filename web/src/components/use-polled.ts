import { useEffect, useState } from "preact/hooks";
import { needsKey, sentenceOf } from "../server.js";

/** Polls while the view is shown in a visible tab; the last answer stays meanwhile. */
export function usePolled<T>(ask: () => Promise<T>, intervalMs: number) {
  const [answer, setAnswer] = useState<T>();
  const [failure, setFailure] = useState("");
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      try {
        if (document.visibilityState === "visible" && !needsKey.peek()) {
          const next = await ask();
          if (isOver) return;
          setAnswer(next);
          setFailure("");
        }
      } catch (error) {
        if (!isOver) setFailure(sentenceOf(error));
      }
      if (!isOver) timer = setTimeout(run, intervalMs);
    };
    void run();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [intervalMs, round]);
  return { answer, failure, askNow: () => setRound((n) => n + 1) };
}
