import { useRef, useState } from "preact/hooks";
import { sentenceOf } from "../server.js";
import { joinSamples, type Microphone, openMicrophone } from "../sound/microphone.js";
import { wavOf } from "../sound/wav.js";
import { toast } from "./toasts.js";

interface Recording {
  microphone: Microphone;
  chunks: Float32Array[];
  startedAt: number;
}

/** A shorter press starts a recording that lasts until the next press. */
const clickMs = 400;

/** Records while held down, or from click to click. */
export function RecordButton({
  label = "Hold to record",
  onRecorded,
}: {
  label?: string;
  onRecorded: (file: File) => void;
}) {
  const recording = useRef<Promise<Recording> | undefined>(undefined);
  const [isOn, setOn] = useState(false);
  const start = () => {
    const chunks: Float32Array[] = [];
    const startedAt = performance.now();
    const opening = openMicrophone((chunk) => chunks.push(chunk));
    recording.current = opening.then((microphone) => ({ microphone, chunks, startedAt }));
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
    if (samples.length === 0) {
      toast("Nothing was recorded; hold the button while there is something to hear.");
      return;
    }
    const wav = wavOf(samples, ended.microphone.sampleRateHz);
    const time = new Date().toTimeString().slice(0, 8).replaceAll(":", ".");
    onRecorded(new File([wav], `recording ${time}.wav`, { type: "audio/wav" }));
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
      {isOn ? "Recording…" : label}
    </button>
  );
}
