import { useRef } from "preact/hooks";
import { RecordButton } from "../../components/record-button.js";
import { openFiles } from "./state.js";

const isPhone = matchMedia("(pointer: coarse)").matches;

/** Where files are chosen; dropping and pasting work anywhere in the view. */
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
      <RecordButton onRecorded={(file) => openFiles([file])} />
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
