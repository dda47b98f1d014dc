import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { savePng, saveSvg } from "./save.js";

const ways = [
  ["SVG", saveSvg],
  ["PNG", savePng],
] as const;

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
  return (
    <>
      <div class="row figure-head">
        <p>
          <strong>{title}</strong> {says && <span class="quiet">— {says}</span>}
        </p>
        <span class="row right">
          {ways.map(([type, save]) => (
            <button
              key={type}
              type="button"
              aria-label={`Save "${title}" as ${type}`}
              onClick={() => void save(figure.current!, name, caption)}
            >
              {type}
            </button>
          ))}
        </span>
      </div>
      <div ref={figure}>{children}</div>
    </>
  );
}
