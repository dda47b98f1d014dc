import { usePolled } from "../../components/use-polled.js";
import { server } from "../../server.js";
import type { Input } from "./request.js";

const kinds = { image: "pictures", audio: "sounds" };

/** How far the server is with what "none of these" is compared with; nothing once that is there. */
export function BackgroundProgress({ modality }: { modality: Input["modality"] }) {
  const { answer } = usePolled(() => server.peek().listModels(), 1000);
  const model = answer?.data.find(({ modalities }) => modalities.includes(modality));
  const background = model?.background.find((one) => one.modality === modality);
  if (background === undefined || background.embedded === background.total) return null;
  const { embedded, total } = background;
  const kind = kinds[background.modality];
  return (
    <p class="row background-progress" role="status">
      <progress value={embedded} max={total} aria-label={`Unrelated ${kind} looked at`} />
      <span class="sentence">
        Once, the server looks at {total} unrelated {kind} to compare with: {embedded} so far.
      </span>
    </p>
  );
}
