import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ZeroShotAnswer } from "../../../../src/wire/zero-shot.js";
import { ExampleMedia } from "../../components/example-media.js";
import { RecordButton } from "../../components/record-button.js";
import { ScoreBars } from "../../components/score-bars.js";
import { useStopWhenHidden } from "../../components/use-stop-when-hidden.js";
import { sentenceOf, server } from "../../server.js";
import { closedForKey, heardSeconds, listen } from "../../sound/listening.js";
import type { TaughtModality } from "./state.js";

interface Tried {
  name: string;
  /** Of a picture or sound. */
  url?: string;
  answer?: ZeroShotAnswer;
  failure?: string;
}

/** Tries a version of a head, `name@2`, on something new, or on what the microphone hears. */
export function TryIt({ head, modality }: { head: string; modality: TaughtModality }) {
  const choose = useRef<HTMLInputElement>(null);
  const tried = useSignal<Tried>();
  const listening = useSignal<AbortController>();
  useEffect(
    () => () => {
      listening.peek()?.abort();
      forget(tried.peek());
    },
    [],
  );
  const show = (next: Tried) => {
    if (tried.peek()?.url !== next.url) forget(tried.peek());
    tried.value = next;
  };
  const classify = async (one: Tried, content: Blob | string, signal?: AbortSignal) => {
    const answer = await server.peek().zeroShot({ [modality]: content, head }, { signal });
    show({ ...one, answer });
  };
  const stopListening = () => {
    listening.peek()?.abort();
    listening.value = undefined;
  };
  useStopWhenHidden(() => {
    if (listening.peek() === undefined) return;
    stopListening();
    return closedForKey;
  });
  const tryOn = async (name: string, content: Blob | string) => {
    stopListening();
    const one = { name, url: content instanceof Blob ? URL.createObjectURL(content) : undefined };
    show(one);
    await classify(one, content).catch((error) => show({ ...one, failure: sentenceOf(error) }));
  };
  const tryFile = async (file: File | undefined) => {
    if (file !== undefined) await tryOn(file.name, modality === "text" ? await file.text() : file);
  };
  const startListening = () => {
    const stopped = new AbortController();
    const { signal } = stopped;
    const one = { name: `the last ${heardSeconds} seconds` };
    listening.value = stopped;
    show(one);
    listen({
      keepSeconds: heardSeconds,
      signal,
      classify: (audio) => classify(one, audio, signal),
    }).catch((error) => {
      listening.value = undefined;
      show({ ...one, failure: sentenceOf(error) });
    });
  };
  const { name, url, answer, failure } = tried.value ?? {};
  return (
    <section class="try-it" aria-label="Try it">
      <p>
        <strong>Try it</strong> <span class="quiet">— on something that it has not seen</span>
      </p>
      <div class="row">
        {modality === "text" && (
          <input
            aria-label="Text to try"
            placeholder="write a text, then Enter"
            onKeyDown={(event) => {
              const text = event.currentTarget.value.trim();
              if (event.key !== "Enter" || event.isComposing) return;
              event.preventDefault(); // it would teach again
              if (text !== "") void tryOn(text, text);
            }}
          />
        )}
        {modality === "audio" && <RecordButton onRecorded={(file) => void tryFile(file)} />}
        {modality === "audio" && (
          <button
            type="button"
            aria-pressed={listening.value !== undefined}
            onClick={listening.value === undefined ? startListening : stopListening}
          >
            {listening.value === undefined ? "Live" : "Stop"}
          </button>
        )}
        <button type="button" onClick={() => choose.current?.click()}>
          Choose…
        </button>
        <input
          ref={choose}
          type="file"
          hidden
          accept={modality === "text" ? ".txt,.md" : `${modality}/*`}
          aria-label="File to try"
          onChange={({ currentTarget }) => {
            void tryFile(currentTarget.files?.[0]);
            currentTarget.value = "";
          }}
        />
      </div>
      {url !== undefined && modality !== "text" ? (
        <ExampleMedia key={url} url={url} name={name!} modality={modality} />
      ) : (
        name !== undefined && <p class="quiet">{name}</p>
      )}
      {failure !== undefined && (
        <p class="bad" role="alert">
          {failure}
        </p>
      )}
      {answer !== undefined && <ScoreBars scores={answer.scores} modality={modality} />}
    </section>
  );
}

function forget(tried: Tried | undefined): void {
  if (tried?.url !== undefined) URL.revokeObjectURL(tried.url);
}
