import { createServer } from "node:net";
import { askHealth, localUrl, type ServerPlace } from "./ask-health.js";

export interface PortProblem {
  why: string;
  /** Whether a crossmodal server answers there. */
  isOurs: boolean;
}

/** Why a port cannot be listened on; undefined when it is free. */
export function portProblem(place: ServerPlace): Promise<PortProblem | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", async (error: NodeJS.ErrnoException) => {
      if (error.code === "EACCES")
        resolve({ why: "may not be opened by this user", isOurs: false });
      else if (error.code !== "EADDRINUSE") resolve({ why: error.message, isOurs: false });
      else if (await servesCrossmodal(place))
        resolve({ why: "is held by a crossmodal server that answers", isOurs: true });
      else resolve({ why: "is in use by another program", isOurs: false });
    });
    probe.listen(place.port, place.host, () => probe.close(() => resolve(undefined)));
  });
}

/** Whether `/health/live` there answers like this server's. */
async function servesCrossmodal(place: ServerPlace): Promise<boolean> {
  try {
    const { status, text } = await askHealth(localUrl(place), "/health/live");
    return status === 200 && (JSON.parse(text) as { status?: unknown } | null)?.status === "live";
  } catch {
    return false;
  }
}
