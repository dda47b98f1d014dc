import { toast } from "../../components/toasts.js";
import { sentenceOf } from "../../server.js";
import { type Example, examples } from "./examples.js";
import { openExample, selected } from "./state.js";

/** Six examples that run on click. */
export function ExampleStrip() {
  return (
    <ul class="examples" aria-label="Examples">
      {examples.map((example) => (
        <li key={example.id}>
          <button
            type="button"
            class="example"
            aria-pressed={selected.value?.example === example}
            onClick={() => openExample(example).catch((error) => toast(sentenceOf(error)))}
          >
            <span class={`tile ${example.modality}`}>
              {example.modality === "image" ? (
                <img src={example.url} alt="" width={112} height={63} />
              ) : (
                <Waveform peaks={example.peaks!} />
              )}
            </span>
            {example.title}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Waveform({ peaks }: { peaks: NonNullable<Example["peaks"]> }) {
  const bars = peaks.map((peak, i) => `M${i + 0.5} ${50 - peak / 2.5}V${50 + peak / 2.5 + 1}`);
  return (
    <svg viewBox={`-4 0 ${peaks.length + 8} 100`} preserveAspectRatio="none" aria-hidden="true">
      <path d={bars.join("")} />
    </svg>
  );
}
