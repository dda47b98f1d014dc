import { Preview } from "../../components/preview.js";
import { timeText } from "../../media.js";
import type { Shown } from "./feed.js";
import { playing, playOrPause } from "./player.js";
import { useSoundLength } from "./sound-length.js";

interface Props {
  collection: string;
  item: Shown;
}

/** Starts and stops a sound that is kept. */
export function PlayButton({ collection, item, tabIndex }: Props & { tabIndex?: number }) {
  if (item.modality !== "audio" || item.media_url === undefined) return null;
  const isPlaying = playing.value?.id === item.id && playing.value.isPlaying;
  return (
    <button
      type="button"
      class="play"
      tabIndex={tabIndex}
      aria-label={`${isPlaying ? "Pause" : "Play"} ${item.id}`}
      onClick={() => playOrPause(collection, item)}
    >
      {isPlaying ? "❚❚" : "▶"}
    </button>
  );
}

/** A sound with its waveform; a click plays from there. */
export function SoundPlayer({ collection, item }: Props) {
  const playback = playing.value?.id === item.id ? playing.value : undefined;
  const length = useSoundLength(collection, item);
  const { atSeconds = 0, durationSeconds = length, failure } = playback ?? {};
  const seek = (to: number) => playOrPause(collection, item, Math.max(0, to));
  return (
    <div class="sound-player">
      <div
        class="waveform"
        role="slider"
        tabIndex={0}
        aria-label="Moment"
        aria-valuemin={0}
        aria-valuemax={durationSeconds ?? 0}
        aria-valuenow={atSeconds}
        aria-valuetext={timeText(atSeconds)}
        onClick={({ clientX, currentTarget }) => {
          const { left, width } = currentTarget.getBoundingClientRect();
          seek(durationSeconds === undefined ? 0 : ((clientX - left) / width) * durationSeconds);
        }}
        onKeyDown={(event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
          if (by === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          seek(Math.min(durationSeconds ?? 0, atSeconds + (by * (durationSeconds ?? 0)) / 50));
        }}
      >
        <Preview collection={collection} item={item} />
        {durationSeconds !== undefined && (
          <i class="cursor" style={{ left: `${(100 * atSeconds) / durationSeconds}%` }} />
        )}
      </div>
      <div class="row">
        <PlayButton collection={collection} item={item} />
        <span class="quiet">
          {playback?.durationSeconds !== undefined
            ? `${timeText(atSeconds)} of ${timeText(playback.durationSeconds)}`
            : [length && timeText(length), "space plays it"].filter(Boolean).join(", ")}
        </span>
      </div>
      {failure !== undefined && <p class="bad">{failure}</p>}
    </div>
  );
}
