import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { CanvasStrip, type Paint } from "../../components/canvas-strip.js";
import { Notice } from "../../components/notice.js";
import { ScoreBars } from "../../components/score-bars.js";
import { sentenceOf, server } from "../../server.js";
import { drawMel } from "../../sound/draw.js";
import { drawLane, laneOf, type TimeWindow } from "../../sound/lanes.js";
import { heardSeconds, listen } from "../../sound/listening.js";
import { melMeaning } from "../../sound/mel-spec.js";
import type { RollingSound } from "../../sound/rolling-sound.js";
import { EventsList } from "./events-list.js";
import { endEvent, eventScore, hear } from "./live-events.js";
import { type LabelSet, requestOf } from "./request.js";

const shownSeconds = 20;
/** The microphone as it is heard: rolling spectrogram, a lane for each label, and events. */
export function Live({ set, onClose }: { set: LabelSet; onClose: () => void }) {
  const failure = useSignal<string>();
  const heard = useSignal<readonly TimeWindow[]>([]);
  const now = useSignal(0);
  const sound = useRef<RollingSound>(undefined);
  const currentSet = useRef(set);
  currentSet.current = set;

  useEffect(() => {
    const stopped = new AbortController();
    const { signal } = stopped;
    const classify = async (audio: Blob, end: number) => {
      if (currentSet.current.labels.length === 0) return;
      const start = heard.value.at(-1)?.end_seconds ?? Math.max(0, end - heardSeconds);
      const heardAt = Date.now();
      const { timeline: _, ...request } = requestOf(liveInput, currentSet.current);
      const { scores, known } = await server.peek().zeroShot({ audio, ...request }, { signal });
      const shown = heard.value.filter(({ end_seconds }) => end_seconds > end - shownSeconds);
      heard.value = [...shown, { start_seconds: start, end_seconds: end, scores }];
      hear(known === false ? undefined : scores[0], {
        start: new Date(heardAt - 1000 * Math.min(heardSeconds, end)),
        end: new Date(heardAt),
        sound: audio,
      });
    };
    const onOpen = (opened: RollingSound) => {
      sound.current = opened;
    };
    listen({ keepSeconds: shownSeconds, signal, onOpen, classify }).catch((error) => {
      failure.value = sentenceOf(error);
    });
    let frame = 0;
    const tick = () => {
      now.value = sound.current?.seconds ?? 0;
      frame = requestAnimationFrame(tick);
    };
    tick();
    return () => {
      stopped.abort();
      endEvent();
      cancelAnimationFrame(frame);
    };
  }, [failure, heard, now]);

  const seconds = now.value;
  const paintMel = useCallback(
    (to: Paint) => {
      const mel = sound.current?.mel();
      if (mel !== undefined && seconds >= 0) drawMel(to, mel);
    },
    [seconds],
  );
  if (failure.value !== undefined)
    return (
      <Notice kind="bad" title="Not listening" action={["Close", onClose]}>
        {failure.value}
      </Notice>
    );
  const last = heard.value.at(-1);
  return (
    <>
      <section class="card sound live" aria-label="Microphone">
        <header class="row">
          <strong>Microphone</strong>
          <span class="quiet">
            {`the last ${shownSeconds} s; scores of ` + `${heardSeconds} s at a time`}
          </span>
          <button type="button" class="right" onClick={onClose}>
            Stop
          </button>
        </header>
        <div class="axis">
          <div class="names" aria-hidden="true">
            <span class="mel" title={melMeaning}>
              mel, dB
            </span>
            {set.labels.map((label) => (
              <span class="lane" key={label} title={label}>
                {label}
              </span>
            ))}
          </div>
          <div class="time">
            <CanvasStrip height={132} paint={paintMel} />
            {set.labels.map((label) => (
              <LiveLane key={label} label={label} windows={heard.value} now={seconds} />
            ))}
          </div>
        </div>
      </section>
      <div class="sets">
        <section aria-label="Now">
          <p>
            <strong>Now</strong>{" "}
            <span class="quiet">
              {set.labels.length === 0 ? "— add labels to hear what it is" : "— they add up to 1"}
            </span>
          </p>
          {last !== undefined && <ScoreBars scores={last.scores} modality="audio" />}
        </section>
        <section aria-label="Events">
          <p>
            <strong>Events</strong>{" "}
            <span class="quiet">
              — when a label scores above {eventScore}; they stay after Stop
            </span>
          </p>
          <EventsList canOpen={false} />
        </section>
      </div>
    </>
  );
}

const liveInput = { id: 0, name: "", modality: "audio", blob: new Blob(), url: "" } as const;

function LiveLane({
  label,
  windows,
  now,
}: {
  label: string;
  windows: readonly TimeWindow[];
  now: number;
}) {
  const paint = useCallback(
    (to: Paint) => {
      const from = Math.max(0, now - shownSeconds);
      const cells = laneOf(windows, label).map((cell, i) => ({
        ...cell,
        start: windows[i].start_seconds - from,
        end: windows[i].end_seconds - from,
      }));
      drawLane(to, { cells, durationSeconds: shownSeconds });
    },
    [label, windows, now],
  );
  return <CanvasStrip height={24} paint={paint} />;
}
