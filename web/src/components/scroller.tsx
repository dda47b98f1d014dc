import type { ComponentChildren } from "preact";

/** What may be wider than a narrow window, and then scrolls by itself, by keys too. */
export function Scroller({
  children,
  label,
  hidden,
}: {
  children: ComponentChildren;
  label: string;
  hidden?: boolean;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: otherwise keys could not scroll it
    // biome-ignore lint/a11y/useSemanticElements: it is no group of form fields
    <div class="scroller" role="group" aria-label={label} tabIndex={0} hidden={hidden}>
      {children}
    </div>
  );
}
