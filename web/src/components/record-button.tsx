import { useEffect, useRef, useState } from "preact/hooks";
import { sentenceOf } from "../server.js";
import { joinSamples, type Microphone, openMicrophone } from "../sound/microphone.js";
import { wavOf } from "../sound/wav.js";
import { toast } from "./toasts.js";
import { useStopWhenHidden } from "./use-stop-when-hidden.js";

interface Recording {
  microphone: Microphone;
  chunks: Float32Array[];
}

/** A shorter press starts a recording that lasts until the next press. */
const clickMs = 400;

/** Of 4096 samples: three minutes and a half at 48 kHz. */
const maxChunks = 2500;

/** Of the button that is recording: only one does at a time. */
let stopRecording: (() => Promise<void>) | undefined;

/** Records while held down, or from click to click. */
export function RecordButton({
  label = "Hold to record",
  onRecorded,
}: {
  label?: string;
  onRecorded: (file: File) => void;
}) {
  const recording = useRef<Promise<Recording> | undefined>(undefined);
  const pressedAt = useRef(0);
  const [state, setState] = useState<"off" | "held" | "until the next click">("off");
  const [isOpen, setOpen] = useState(false);
  const drop = () => {
    if (recording.current === undefined) return;
    recording.current.then(({ microphone }) => microphone.close()).catch(() => undefined);
    recording.current = undefined;
    setState("off");
    return "The recording was dropped before its end.";
  };
  const dropAndSay = () => {
    const sentence = drop();
    if (sentence !== undefined) toast(sentence);
  };
  useEffect(() => dropAndSay, []);
  useStopWhenHidden(drop);
  const start = () => {
    void stopRecording?.();
    stopRecording = stop;
    const chunks: Float32Array[] = [];
    const opening = openMicrophone((chunk) => {
      chunks.push(chunk);
      if (chunks.length !== maxChunks || recording.current !== current) return;
      toast("The recording has reached its greatest length and ended by itself.");
      void stop();
    });
    pressedAt.current = performance.now();
    const current = opening.then((microphone) => ({ microphone, chunks }));
    recording.current = current;
    setState("held");
    setOpen(false);
    current.then(
      () => recording.current === current && setOpen(true),
      (error) => {
        toast(sentenceOf(error));
        if (recording.current !== current) return;
        recording.current = undefined;
        setState("off");
      },
    );
  };
  const stop = async () => {
    const current = recording.current;
    recording.current = undefined;
    setState("off");
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
  const wasHeld = () => performance.now() - pressedAt.current > clickMs;
  const onUp = () => {
    if (recording.current === undefined) return;
    if (wasHeld()) void stop();
    else setState("until the next click");
  };
  return (
    <button
      type="button"
      class={state !== "off" && isOpen ? "record on" : "record"}
      aria-pressed={state !== "off"}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId); // it is let go anywhere
        onDown();
      }}
      onPointerUp={onUp}
      // A finger that scrolls began nothing
      onPointerCancel={() => (wasHeld() ? onUp() : dropAndSay())}
      onContextMenu={(event) => event.preventDefault()} // what a finger that holds would open
      onKeyDown={(event) => {
        if (event.repeat || (event.key !== " " && event.key !== "Enter")) return;
        event.preventDefault();
        onDown();
      }}
      onKeyUp={(event) => event.key === " " && onUp()}
    >
      <i class="light" aria-hidden="true" />
      {state === "off"
        ? label
        : !isOpen
          ? "Opening…"
          : { held: "Recording…", "until the next click": "Stop recording" }[state]}
    </button>
  );
}
