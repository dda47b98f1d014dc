import type { Signal } from "@preact/signals";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { CanvasStrip, type Paint } from "../../components/canvas-strip.js";
import { useKeys } from "../../components/use-keys.js";
import { sizeText, timeText } from "../../media.js";
import { drawLevel, drawMel } from "../../sound/draw.js";
import { drawLane, laneOf, type TimeWindow, ticksOf } from "../../sound/lanes.js";
import { melMeaning } from "../../sound/mel-spec.js";
import { type SoundPictures, soundPictures } from "../../sound/sound-pictures.js";
import type { Input } from "./request.js";

const windowsMeaning =
  "The model hears a sound in windows of this length, each begins a hop later than the last; " +
  "every window has scores of its own.";

/**
 * A sound: its level, its spectrogram and a lane for each label under one time axis with one
 * cursor. A click plays from there.
 */
export function SoundPanel({
  input,
  labels,
  windows,
  model,
  cursor,
}: {
  input: Input;
  labels: readonly string[];
  windows: readonly TimeWindow[] | undefined;
  model: string | undefined;
  cursor: Signal<number | undefined>;
}) {
  const audio = useRef<HTMLAudioElement>(null);
  const [duration, setDuration] = useState<number>();
  const [isMeasured, setMeasured] = useState(false);
  const [isPlaying, setPlaying] = useState(false);
  const { pictures, failure } = usePictures(input, { isMeasured, duration });
  const seconds = duration ?? pictures?.durationSeconds ?? windows?.at(-1)?.end_seconds;
  useFollowing(audio, cursor, isPlaying);
  const seek = (to: number) => {
    cursor.value = Math.max(0, Math.min(seconds ?? 0, to));
    if (audio.current) audio.current.currentTime = cursor.value;
  };
  const playOrPause = () => {
    const player = audio.current;
    if (player?.paused) void player.play().catch(() => undefined);
    else player?.pause();
    return true;
  };
  const step = (seconds ?? 0) / 100;
  const move = (by: number) => {
    seek((cursor.value ?? 0) + by);
    return true;
  };
  useKeys({ " ": playOrPause });
  const level = pictures?.peaks;
  const mel = pictures?.mel;
  const paintLevel = useCallback((to: Paint) => level && drawLevel(to, level), [level]);
  const paintMel = useCallback((to: Paint) => mel && drawMel(to, mel), [mel]);
  return (
    <section class="card sound" aria-label={`Sound ${input.name}`}>
      <header class="row">
        <button
          type="button"
          class="play"
          aria-label={isPlaying ? "Pause" : "Play"}
          onClick={playOrPause}
        >
          {isPlaying ? "❚❚" : "▶"}
        </button>
        <strong>{input.name}</strong>
        <span class="quiet">
          {seconds !== undefined && `${timeText(seconds)} · `}
          {sizeText(input.blob.size)}
        </span>
        <span class="quiet right" title={windowsMeaning}>
          {windows && windowSentence(windows)}
        </span>
        {model !== undefined && <span class="quiet">model: {model}</span>}
      </header>
      {/* biome-ignore lint/a11y/useMediaCaption: what is said in it is what is to be found out */}
      <audio
        ref={audio}
        src={input.url}
        preload="metadata"
        onLoadedMetadata={({ currentTarget }) => {
          const found = (currentTarget as HTMLAudioElement).duration;
          if (Number.isFinite(found)) setDuration(found);
          setMeasured(true);
        }}
        onError={() => setMeasured(true)}
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setPlaying(false)}
      />
      <div class="axis">
        <div class="names" aria-hidden="true">
          <span class="level">level</span>
          <span class="mel" title={melMeaning}>
            mel, dB
          </span>
          {labels.map((label) => (
            <span class="lane" key={label} title={label}>
              {label}
            </span>
          ))}
        </div>
        <div
          class="time"
          role="slider"
          tabIndex={0}
          aria-label="Moment"
          aria-valuemin={0}
          aria-valuemax={seconds ?? 0}
          aria-valuenow={cursor.value ?? 0}
          aria-valuetext={cursor.value === undefined ? "the whole sound" : timeText(cursor.value)}
          onPointerDown={(event) => {
            if (seconds === undefined || event.button !== 0) return;
            const box = event.currentTarget.getBoundingClientRect();
            seek(((event.clientX - box.left) / box.width) * seconds);
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={(event) => {
            if (seconds === undefined || event.buttons !== 1) return;
            const box = event.currentTarget.getBoundingClientRect();
            seek(((event.clientX - box.left) / box.width) * seconds);
          }}
          onClick={() => void audio.current?.play().catch(() => undefined)}
          onKeyDown={(event) => {
            const by = { ArrowLeft: -step, ArrowRight: step }[event.key];
            if (by === undefined) return;
            event.preventDefault();
            move(by);
          }}
        >
          {failure === undefined ? (
            <>
              <CanvasStrip height={56} paint={paintLevel} />
              <CanvasStrip height={132} paint={paintMel} />
            </>
          ) : (
            <p class="sentence undrawn">{failure}</p>
          )}
          {labels.map((label) => (
            <Lane key={label} label={label} windows={windows} seconds={seconds} />
          ))}
          {seconds !== undefined && cursor.value !== undefined && (
            <i class="cursor" style={{ left: `${(100 * cursor.value) / seconds}%` }} />
          )}
          <div class="ticks" aria-hidden="true">
            {seconds !== undefined &&
              ticksOf(seconds).map((tick) => (
                <span key={tick} style={{ left: `${(100 * tick) / seconds}%` }}>
                  {tick < 60 ? `${Number(tick.toFixed(1))} s` : timeText(tick)}
                </span>
              ))}
          </div>
        </div>
      </div>
    </section>
  );
}

function Lane({
  label,
  windows,
  seconds,
}: {
  label: string;
  windows: readonly TimeWindow[] | undefined;
  seconds: number | undefined;
}) {
  const paint = useCallback(
    (to: Paint) => {
      const emptyLane = [{ start: 0, end: seconds ?? 1, score: 0 }];
      const cells = windows === undefined ? emptyLane : laneOf(windows, label);
      drawLane(to, { cells, durationSeconds: seconds ?? 1 });
    },
    [label, windows, seconds],
  );
  return <CanvasStrip height={24} paint={paint} />;
}

/** Once it is known how long the sound is: hours of it do not fit into memory. */
function usePictures(
  input: Input,
  { isMeasured, duration }: { isMeasured: boolean; duration: number | undefined },
) {
  const [result, setResult] = useState<{ pictures?: SoundPictures; failure?: string }>({});
  useEffect(() => {
    setResult({});
    if (!isMeasured) return;
    const abort = new AbortController();
    soundPictures(input.blob, { durationSeconds: duration, signal: abort.signal }).then(
      (pictures) => setResult({ pictures }),
      (error: Error) => abort.signal.aborted || setResult({ failure: error.message }),
    );
    return () => abort.abort();
  }, [input, isMeasured, duration]);
  return result;
}

/** The cursor follows the playback. */
function useFollowing(
  audio: { current: HTMLAudioElement | null },
  cursor: Signal<number | undefined>,
  isPlaying: boolean,
): void {
  useEffect(() => {
    if (!isPlaying) return;
    let frame = 0;
    let isFirst = true;
    const follow = () => {
      // The user asked for the whole sound.
      if (!isFirst && cursor.value === undefined) return audio.current?.pause();
      isFirst = false;
      if (audio.current) cursor.value = audio.current.currentTime;
      frame = requestAnimationFrame(follow);
    };
    follow();
    return () => cancelAnimationFrame(frame);
  }, [isPlaying, audio, cursor]);
}

/** "window 10 s, hop 5 s" */
function windowSentence(windows: readonly TimeWindow[]): string {
  const [first, second] = windows;
  if (second === undefined) return "one window";
  const size = first.end_seconds - first.start_seconds;
  return (
    `window ${Number(size.toFixed(1))} s, hop ` +
    `${Number((second.start_seconds - first.start_seconds).toFixed(1))} s`
  );
}
