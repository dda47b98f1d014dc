import type { LockSupport, SandboxMode } from "./support.js";

/**
 * Which locks decoding processes will not have on this system although they were wanted, and what
 * follows from it; undefined when nothing is missing.
 */
export function missingLocks(
  { landlock, seccomp, reason }: LockSupport,
  mode: SandboxMode,
): string | undefined {
  const missing = [
    landlock === 0 && "files (Landlock): it could read all that this user can",
    !seccomp && "the network (seccomp): it could send and open connections",
  ].filter((lock) => lock !== false);
  if (mode === "off" || missing.length === 0) return undefined;
  return (
    `A file that exploits its decoder is not kept from ${missing.join(", nor from ")}. ` +
    `The reason: ${reason ?? "this kernel does not have it"} (option sandbox; see \`doctor\`)`
  );
}
