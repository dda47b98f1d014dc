import { hasKey, needsKey } from "../server.js";
import { modelsSentence, status } from "../status.js";

const words = {
  connecting: "connecting",
  ready: "ready",
  starting: "starting",
  unreachable: "no answer",
};

/** The server's state, in the corner of every view. */
export function StatusLine() {
  const { state, why, models } = status.value;
  return (
    <div class="status" role="status" title={why}>
      {models.length > 0 && <span class="models">{modelsSentence(models)}</span>}
      <i class={`light ${state}`} aria-hidden="true" />
      <span>{needsKey.value ? "needs a key" : words[state]}</span>
      {hasKey.value && !needsKey.value && (
        <button
          type="button"
          title="Use another API key"
          onClick={() => {
            needsKey.value = true;
          }}
        >
          Key…
        </button>
      )}
    </div>
  );
}
