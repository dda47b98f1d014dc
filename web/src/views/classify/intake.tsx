import { useRef, useState } from "preact/hooks";
import { toast } from "../../components/toasts.js";
import { sentenceOf } from "../../server.js";
import { joinSamples, type Microphone, openMicrophone } from "../../sound/microphone.js";
import { wavOf } from "../../sound/wav.js";
import { openFiles } from "./state.js";

const isPhone = matchMedia("(pointer: coarse)").matches;

/** Where files come in; dropping and pasting work anywhere in the view. */
export function Intake({ onLive }: { onLive: () => void }) {
  const choose = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const onChosen = ({ currentTarget }: Event) => {
    const input = currentTarget as HTMLInputElement;
    openFiles([...(input.files ?? [])]);
    input.value = "";
  };
  return (
    <div class="intake">
      <span class="quiet">Drop or paste, or</span>
      <button type="button" onClick={() => choose.current?.click()}>
        Choose…
      </button>
      {isPhone && (
        <button type="button" onClick={() => camera.current?.click()}>
          Camera
        </button>
      )}
      <RecordButton />
      <button type="button" onClick={onLive}>
        Live
      </button>
      <input ref={choose} type="file" multiple hidden onChange={onChosen} aria-label="Files" />
      <input
        ref={camera}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        onChange={onChosen}
        aria-label="Camera"
      />
    </div>
  );
}

interface Recording {
  microphone: Microphone;
  chunks: Float32Array[];
  /** Held by pointer or key; a short click goes on until the next one. */
  startedAt: number;
}

const clickMs = 400;

/** Records while it is held, or from click to click. */
export function RecordButton() {
  const recording = useRef<Promise<Recording> | undefined>(undefined);
  const [isOn, setOn] = useState(false);
  const start = () => {
    const chunks: Float32Array[] = [];
    const startedAt = performance.now();
    recording.current = openMicrophone((chunk) => chunks.push(chunk)).then((microphone) => ({
      microphone,
      chunks,
      startedAt,
    }));
    setOn(true);
    recording.current.catch((error) => {
      recording.current = undefined;
      setOn(false);
      toast(sentenceOf(error));
    });
  };
  const stop = async () => {
    const current = recording.current;
    recording.current = undefined;
    setOn(false);
    const ended = await current?.catch(() => undefined);
    if (ended === undefined) return;
    await ended.microphone.close();
    const samples = joinSamples(ended.chunks);
    if (samples.length === 0)
      return toast("Nothing was recorded; hold the button while you speak.");
    const wav = wavOf(samples, ended.microphone.sampleRateHz);
    const time = new Date().toTimeString().slice(0, 8).replaceAll(":", ".");
    openFiles([new File([wav], `recording ${time}.wav`, { type: "audio/wav" })]);
  };
  const onDown = () => (recording.current === undefined ? start() : void stop());
  const onUp = async () => {
    const current = await recording.current?.catch(() => undefined);
    if (current !== undefined && performance.now() - current.startedAt > clickMs) await stop();
  };
  return (
    <button
      type="button"
      class={isOn ? "record on" : "record"}
      aria-pressed={isOn}
      onPointerDown={(event) => event.button === 0 && onDown()}
      onPointerUp={onUp}
      onKeyDown={(event) => {
        if (event.repeat || (event.key !== " " && event.key !== "Enter")) return;
        event.preventDefault();
        onDown();
      }}
      onKeyUp={(event) => event.key === " " && onUp()}
    >
      <i class="light" aria-hidden="true" />
      {isOn ? "Recording…" : "Hold to record"}
    </button>
  );
}
