import { ExampleMedia } from "../../components/example-media.js";
import { Preview } from "../../components/preview.js";
import { linkTo } from "../../router.js";
import type { TaughtModality } from "./state.js";
import type { LessonExample } from "./teaching.js";

/** An example to see, hear or read; an item of a collection links to similar ones. */
export function LessonMedia({
  example: { id, name, url, text, collection },
  modality,
}: {
  example: LessonExample;
  modality: TaughtModality;
}) {
  if (modality === "text" && collection === undefined)
    return (
      <span class="example-text" title={name}>
        {text}
      </span>
    );
  if (
    modality !== "text" &&
    url !== undefined &&
    (modality === "audio" || collection === undefined)
  )
    return <ExampleMedia url={url} name={name} modality={modality} />;
  if (collection === undefined) return null;
  return (
    <a
      class="stored-media"
      title={name}
      href={linkTo("search", [collection], { like: String(id) })}
    >
      <Preview collection={collection} item={{ id: String(id), modality }} />
      <span class="only-read-aloud">{name}</span>
    </a>
  );
}
