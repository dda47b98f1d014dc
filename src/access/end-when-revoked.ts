import type { ServerResponse } from "node:http";

/** Between two looks at a key while an answer is being sent. */
const lookEveryMs = 2000;

/**
 * Closes the connection of an answer that is still being sent when its key opens this server no
 * longer: a stream, of items that are sent or of events, may take hours.
 *
 * @param isAdmitted  whether the key still opens it; an error is no answer.
 */
export function endWhenRevoked(
  outgoing: Pick<ServerResponse, "destroyed" | "once" | "destroy">,
  isAdmitted: () => Promise<boolean>,
  onRevoked: () => void,
): void {
  if (outgoing.destroyed) return; // the client has gone: its `close` was before
  const timer = setInterval(async () => {
    if (await isAdmitted().catch(() => true)) return;
    clearInterval(timer);
    onRevoked();
    outgoing.destroy();
  }, lookEveryMs).unref();
  outgoing.once("close", () => clearInterval(timer));
}
