import { libc } from "../libc.js";
import { seccompFilter } from "./seccomp-filter.js";

/** `auto` takes the locks that the system has; `required` does not continue without all of them. */
export type SandboxMode = "auto" | "required" | "off";

/** What a locked process found that it cannot do. */
export interface Locks {
  /** Files other than its own code and the system's programs cannot be opened. */
  files: boolean;
  /** Sockets cannot be made. */
  network: boolean;
}

export const isLocked = ({ files, network }: Locks): boolean => files && network;

/** Which locks this system can put on a process. */
export interface LockSupport {
  /** Version of Landlock, which restricts files; 0 without. */
  landlock: number;
  /** Whether system calls can be filtered, which restricts the network. */
  seccomp: boolean;
  /** Why there is no lock, when there is none. */
  reason?: string;
}

let found: LockSupport | undefined;

/** Determined once: a kernel does not change while it runs. */
export function lockSupport(): LockSupport {
  found ??= detectLocks();
  return found;
}

function detectLocks(): LockSupport {
  const none = (reason: string): LockSupport => ({ landlock: 0, seccomp: false, reason });
  if (process.platform !== "linux") return none("only Linux has Landlock and seccomp");
  try {
    const prctl = libc("int prctl(int option, ...)");
    const syscall = libc("long syscall(long number, ...)");
    // Source: linux/landlock.h, linux/prctl.h.
    const createRuleset = 444;
    const askVersion = 1;
    const getSeccomp = 21;
    const version = Number(
      syscall(createRuleset, "void *", null, "size_t", 0, "uint32_t", askVersion),
    );
    return {
      landlock: Math.max(0, version),
      seccomp: seccompFilter(false) !== undefined && Number(prctl(getSeccomp)) >= 0,
    };
  } catch (error) {
    return none(`system calls cannot be made: ${(error as Error).message.split("\n")[0]}`);
  }
}
