import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { savePng, saveSvg } from "./save.js";

/** A picture with its title, and buttons that save it for a paper. */
export function SavedFigure({
  title,
  says,
  name,
  caption,
  children,
}: {
  title: string;
  /** Beside the title. */
  says?: ComponentChildren;
  /** Of the file, without its extension. */
  name: string;
  /** A line below the saved picture. */
  caption: string;
  children: ComponentChildren;
}) {
  const figure = useRef<HTMLDivElement>(null);
  const label = (type: string) => `Save "${title}" as ${type}`;
  return (
    <>
      <div class="row figure-head">
        <p>
          <strong>{title}</strong> {says && <span class="quiet">— {says}</span>}
        </p>
        <span class="row right">
          <button
            type="button"
            aria-label={label("SVG")}
            onClick={() => saveSvg(figure.current!, name, caption)}
          >
            SVG
          </button>
          <button
            type="button"
            aria-label={label("PNG")}
            onClick={() => void savePng(figure.current!, name, caption)}
          >
            PNG
          </button>
        </span>
      </div>
      <div ref={figure}>{children}</div>
    </>
  );
}
