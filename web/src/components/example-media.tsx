import { useRef, useState } from "preact/hooks";

/** A picture, or a sound that plays on click. */
export function ExampleMedia({
  url,
  name,
  modality,
}: {
  url: string;
  name: string;
  modality: "image" | "audio";
}) {
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  if (modality === "image") return <img class="example-media" src={url} alt={name} title={name} />;
  return (
    <>
      {/* biome-ignore lint/a11y/useMediaCaption: what is heard in it is what is taught */}
      <audio
        ref={audio}
        src={url}
        preload="none"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
      />
      <button
        type="button"
        class="example-media audio"
        title={name}
        aria-label={`${isPlaying ? "Pause" : "Play"} ${name}`}
        onClick={() => {
          if (audio.current?.paused) void audio.current.play().catch(() => undefined);
          else audio.current?.pause();
        }}
      >
        {isPlaying ? "❚❚" : "▶"}
        <span class="name">{name}</span>
      </button>
    </>
  );
}
