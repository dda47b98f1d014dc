import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rm, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { lockPlan, packageFolders } from "../sandbox/lock-plan.js";
import { lockSupport, type SandboxMode } from "../sandbox/support.js";
import { niceness, raised } from "../workers/give-way.js";

/**
 * The priority of a decoder's session below the server's: it prepares the next batch while a graph
 * runs, and must not slow it down. Linux divides a session's share among the cores that it uses:
 * with 5, a decoder on one core had .65 of what the server, on two, had there.
 */
const sessionNiceness = 10;
/**
 * The environment variables it needs, without secrets: where ffmpeg and its libraries are.
 */
const passedOn = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot"];

/** What a decoding process runs. */
export const decoderEntry = new URL("./decoder-process.js", import.meta.url);

/**
 * Starts a process that decodes: its protocol is on descriptor 3, its errors on stderr. It ends
 * with its standard input.
 * @param entry  URL of a module that calls `serveDecoding`, with the ending `.js` (see
 *   `commandOf`).
 */
export function startProcess(entry: URL, sandbox: SandboxMode): ChildProcess {
  const environment = passedOn.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  const scratch = mkdtempSync(join(tmpdir(), "crossmodal-decoder-"));
  const locks = locksFor(sandbox, scratch);
  const command = [...locks, process.execPath, ...commandOf(entry)];
  const child = spawn(command[0], command.slice(1), {
    env: {
      ...Object.fromEntries(environment),
      ...{ TMPDIR: scratch, TEMP: scratch, UV_THREADPOOL_SIZE: "2" },
      // Node exits if it may not read the system's configuration, and needs nothing in it.
      ...(locks.length > 0 && { OPENSSL_CONF: "/dev/null" }),
    },
    stdio: ["pipe", "ignore", "pipe", "pipe"],
    detached: true, // a process group of its own, which ends with its ffmpeg
  });
  giveWay(child.pid);
  child.once("close", () => rm(scratch, { recursive: true, force: true }, () => undefined));
  return child;
}

const isTypeScript = import.meta.url.endsWith(".ts");
/**
 * Of `dist`, or of this repository when it runs from TypeScript: tests have entries of their own.
 */
const codeFolder = fileURLToPath(new URL(isTypeScript ? "../.." : "..", import.meta.url));

/**
 * The launcher that locks the process before node runs; nothing if it cannot or should not be
 * locked.
 */
function locksFor(sandbox: SandboxMode, scratch: string): string[] {
  const { landlock, seccomp } = lockSupport();
  if (sandbox === "off" || (landlock === 0 && !seccomp)) return [];
  const program = {
    writable: [scratch, ...(isTypeScript ? [transformedCode(scratch)] : [])],
    folders: [codeFolder, ...packageFolders(import.meta.url)],
    files: [fileURLToPath(new URL("../../package.json", import.meta.url))],
    isRequired: sandbox === "required",
  };
  const plan = JSON.stringify(lockPlan(program, landlock));
  return [
    process.execPath,
    fileURLToPath(new URL("../sandbox/run-locked.js", import.meta.url)),
    plan,
  ];
}

/** Where tsx caches compiled TypeScript, so that not every process compiles it again. */
function transformedCode(scratch: string): string {
  const name = `tsx-${process.getuid?.() ?? ""}`;
  const folder = join(tmpdir(), name);
  mkdirSync(folder, { recursive: true });
  symlinkSync(folder, join(scratch, name));
  return folder;
}

/**
 * The arguments of node for a module; from TypeScript (tests, `npm run dev`) the `.ts` file beside
 * it, through tsx.
 */
function commandOf(entry: URL): string[] {
  const path = fileURLToPath(entry);
  const flags = [
    "--max-old-space-size=256", // of JavaScript objects; pixels and samples are not among them
    // Nobody waits for a pause: collecting garbage without threads or steps takes a fifth off the
    // processor time of a picture.
    "--single-threaded-gc",
    "--no-incremental-marking",
    "--max-semi-space-size=1",
  ];
  if (!isTypeScript) return [...flags, path];
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx"));
  return [...flags, "--import", tsx.href, path.replace(/\.js$/, ".ts")];
}

/** Right after the start, so that every thread of the process inherits it. */
function giveWay(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    // Also of a server with lowered priority
    setPriority(pid, raised(niceness.decoding));
    // Linux gives each session the same share, whatever the niceness of its threads.
    // Source: sched(7).
    const groupOf = (id: number | "self") =>
      /nice (-?\d+)/.exec(readFileSync(`/proc/${id}/autogroup`, "latin1"))?.[1];
    // A process may have no such group: the first of a container, or a service of systemd.
    if (groupOf(pid) !== undefined)
      writeFileSync(
        `/proc/${pid}/autogroup`,
        `${raised(sessionNiceness, Number(groupOf("self") ?? 0))}`,
      );
  } catch {
    // Another system, or a sandbox forbids it: then it is only slower.
  }
}

/** Ends the process and its children. */
export function killGroup(pid: number, child: ChildProcess): void {
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
