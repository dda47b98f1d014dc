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
  const classify = async (file: File | undefined) => {
    if (file === undefined) return;
    tried.value = { name: file.name };
    try {
      const answer = await server.peek().zeroShot({ [kind]: file, head });
      tried.value = { name: file.name, answer };
    } catch (error) {
      tried.value = { name: file.name, failure: sentenceOf(error) };
    }
  };
  return (
    <section aria-label="Try it">
      <p>
        <strong>Try it</strong> <span class="quiet">— on something that it has not seen</span>
      </p>
      <div class="row">
        {kind === "audio" && <RecordButton onRecorded={classify} />}
        <button type="button" onClick={() => choose.current?.click()}>
          Choose…
        </button>
        <input
          ref={choose}
          type="file"
          hidden
          accept={`${kind}/*`}
          aria-label="File to try"
          onChange={({ currentTarget }) => {
            void classify(currentTarget.files?.[0]);
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
