import { createServer, isIP } from "node:net";

export interface PortProblem {
  why: string;
  /** Whether a crossmodal server answers there. */
  isOurs: boolean;
}

/** Why a port cannot be listened on; undefined when it is free. */
export function portProblem(host: string, port: number): Promise<PortProblem | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", async (error: NodeJS.ErrnoException) => {
      if (error.code === "EACCES")
        resolve({ why: "may not be opened by this user", isOurs: false });
      else if (error.code !== "EADDRINUSE") resolve({ why: error.message, isOurs: false });
      else if (await servesCrossmodal(host, port))
        resolve({ why: "is held by a crossmodal server that answers", isOurs: true });
      else resolve({ why: "is in use by another program", isOurs: false });
    });
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}

/**
 * Whether `/health/live` there answers like this server's; a wildcard address is probed on
 * loopback.
 */
async function servesCrossmodal(host: string, port: number): Promise<boolean> {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  try {
    const url = `http://${isIP(reached) === 6 ? `[${reached}]` : reached}:${port}/health/live`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: "error" });
    return answer.ok && ((await answer.json()) as { status?: unknown } | null)?.status === "live";
  } catch {
    return false;
  }
}
