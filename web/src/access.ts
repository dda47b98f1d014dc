import { computed, effect, signal } from "@preact/signals";
import type { AccessAnswer } from "../../src/wire/server.js";
import { toast } from "./components/toasts.js";
import { needsKey, returns, server } from "./server.js";

export type Scope = AccessAnswer["scopes"][number];

/** What this page's key may do; undefined while the server has not said. */
const access = signal<AccessAnswer>();
export const isAccessTold = computed(() => access.value !== undefined);

// At the start, after a key was entered, and when the server is back
effect(() => {
  void returns.value;
  const client = server.value;
  if (needsKey.value) return;
  client.getAccess().then(
    (answer) => {
      if (client === server.peek()) access.value = answer;
    },
    () => undefined, // It is asked again; until then the server refuses what is not allowed
  );
});

/** Why something is not allowed, as a sentence; undefined if it is. */
export function whyNot(scope: Scope, doing = "This"): string | undefined {
  const { key, scopes } = access.value ?? {};
  if (!key || scopes!.includes(scope)) return undefined;
  const mine = `the key "${key.name}" has "${scopes!.at(-1)}"`;
  return `${doing} needs a key with the scope "${scope}"; ${mine}.`;
}

/** For what is no control, such as a drop: refuses it, and says why. */
export function refuses(scope: Scope, doing: string): boolean {
  const why = whyNot(scope, doing);
  if (why !== undefined) toast(why);
  return why !== undefined;
}
