import { useEffect } from "preact/hooks";
import { type LiveEvent, maxSounds } from "./kept-events.js";
import { clearEvents, clockText, liveEvents, openEvent, saveEvents } from "./live-events.js";

/** What the microphone heard, the newest first: to be played, opened and saved. */
export function EventsList({ canOpen }: { canOpen: boolean }) {
  const events = liveEvents.value;
  useEffect(() => stopPlaying, [events.length === 0]);
  if (events.length === 0) return null;
  return (
    <>
      <ol class="events" aria-live="polite">
        {events.map((event) => (
          <li class="row" key={event.id}>
            <PlayButton event={event} />
            <span class="quiet">{clockText(event.start)}</span>
            <span class="label">{event.label}</span>
            <span class="quiet length">{lengthText(event)}</span>
            <span class="score">{event.score.toFixed(3)}</span>
            {canOpen && (
              <button
                type="button"
                class="plain"
                disabled={event.sound === undefined}
                onClick={() => openEvent(event)}
              >
                Open
              </button>
            )}
          </li>
        ))}
      </ol>
      <div class="row">
        <button type="button" onClick={saveEvents}>
          Save as CSV
        </button>
        <button type="button" class="plain" onClick={clearEvents}>
          Clear
        </button>
      </div>
    </>
  );
}

let playing: HTMLAudioElement | undefined;

function stopPlaying(): void {
  if (playing === undefined) return;
  playing.pause();
  URL.revokeObjectURL(playing.src);
  playing = undefined;
}

function PlayButton({ event: { label, start, sound } }: { event: LiveEvent }) {
  const play = () => {
    stopPlaying();
    playing = new Audio(URL.createObjectURL(sound!));
    playing.onended = stopPlaying;
    void playing.play().catch(() => undefined);
  };
  return (
    <button
      type="button"
      class="play"
      aria-label={`Play ${label} of ${clockText(start)}`}
      title={
        sound === undefined ? `The sounds of the newest ${maxSounds} events are kept` : undefined
      }
      disabled={sound === undefined}
      onClick={play}
    >
      ▶
    </button>
  );
}

const lengthText = ({ start, end }: LiveEvent) =>
  `${Math.max(1, Math.round((end.getTime() - start.getTime()) / 1000))} s`;
