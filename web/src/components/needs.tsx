import type { ComponentChildren } from "preact";
import { type Scope, whyNot } from "../access.js";

/** Controls that need a scope: off, with the reason, where the page's key has not got it. */
export function Needs({ scope, children }: { scope: Scope; children: ComponentChildren }) {
  const why = whyNot(scope);
  return (
    <fieldset class="needs" role="presentation" disabled={why !== undefined} title={why}>
      {children}
    </fieldset>
  );
}

/** Why the controls of a part are off; nothing where they are not. */
export function WhyOff({ scope, doing }: { scope: Scope; doing: string }) {
  const why = whyNot(scope, doing);
  return why === undefined ? null : <p class="sentence why-off">{why}</p>;
}
