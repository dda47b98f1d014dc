import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { ZeroShotAnswer } from "../../../../src/wire/zero-shot.js";
import { RecordButton } from "../../components/record-button.js";
import { ScoreBars } from "../../components/score-bars.js";
import { sentenceOf, server } from "../../server.js";
import { taught } from "./teaching.js";

/** Tries the taught head at once on something new. */
export function TryIt() {
  const choose = useRef<HTMLInputElement>(null);
  const tried = useSignal<{ name: string; answer?: ZeroShotAnswer; failure?: string }>();
  const { head, state, modality: kind } = taught.value ?? {};
  if (state !== "done" || kind === undefined) return null;
  const classify = async (name: string, content: Blob | string) => {
    tried.value = { name };
    try {
      const answer = await server.peek().zeroShot({ [kind]: content, head });
      tried.value = { name, answer };
    } catch (error) {
      tried.value = { name, failure: sentenceOf(error) };
    }
  };
  const classifyFile = async (file: File | undefined) => {
    if (file === undefined) return;
    await classify(file.name, kind === "text" ? await file.text() : file);
  };
  return (
    <section aria-label="Try it">
      <p>
        <strong>Try it</strong> <span class="quiet">— on something that it has not seen</span>
      </p>
      <div class="row">
        {kind === "text" && (
          <input
            aria-label="Text to try"
            placeholder="write a text, then Enter"
            onKeyDown={(event) => {
              const text = event.currentTarget.value.trim();
              if (event.key !== "Enter" || event.isComposing) return;
              event.preventDefault(); // it would teach again
              if (text !== "") void classify(text, text);
            }}
          />
        )}
        {kind === "audio" && <RecordButton onRecorded={(file) => void classifyFile(file)} />}
        <button type="button" onClick={() => choose.current?.click()}>
          Choose…
        </button>
        <input
          ref={choose}
          type="file"
          hidden
          accept={kind === "text" ? ".txt,.md" : `${kind}/*`}
          aria-label="File to try"
          onChange={({ currentTarget }) => {
            void classifyFile(currentTarget.files?.[0]);
            currentTarget.value = "";
          }}
        />
        <span class="quiet">{tried.value?.name}</span>
      </div>
      {tried.value?.failure !== undefined && <p class="bad">{tried.value.failure}</p>}
      {tried.value?.answer !== undefined && (
        <ScoreBars scores={tried.value.answer.scores} modality={kind} />
      )}
    </section>
  );
}
