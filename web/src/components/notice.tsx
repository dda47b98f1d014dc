import type { ComponentChildren } from "preact";

/** A state in words: what is going on, and what to do next. */
export function Notice({
  kind = "plain",
  title,
  action,
  children,
}: {
  kind?: "plain" | "bad";
  title: string;
  action?: [label: string, onClick: () => void];
  children?: ComponentChildren;
}) {
  return (
    <section class={`notice ${kind}`} role={kind === "bad" ? "alert" : undefined}>
      <strong>{title}</strong>
      {children !== undefined && <p>{children}</p>}
      {action !== undefined && (
        <button type="button" onClick={action[1]}>
          {action[0]}
        </button>
      )}
    </section>
  );
}
