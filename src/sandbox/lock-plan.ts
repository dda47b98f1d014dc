import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { seccompFilter } from "./seccomp-filter.js";

/** What `run-locked.js` does before it becomes the program that is locked. */
export interface LockPlan {
  landlock?: {
    /** `struct landlock_ruleset_attr`, in base64. */
    attributes: string;
    rules: { path: string; access: number }[];
  };
  /** `struct sock_filter[]`, in base64. */
  seccomp?: string;
  /** It exits when a lock is not available; otherwise it continues without. */
  isRequired: boolean;
}

// Access rights by the version of Landlock that brought them. Source: linux/landlock.h.
const execute = 1 << 0;
const writeFile = 1 << 1;
const readFile = 1 << 2;
const readFolder = 1 << 3;
const truncate = 1 << 14;
/** Removing and making folders and regular files, and renaming them. */
const changeFolder = (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8);
const handledFiles = (version: number): number => {
  const bits = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
  return 2 ** bits - 1;
};
/** Binding and connecting TCP. */
const handledNetwork = 0b11n;
/** Abstract Unix sockets and signals, of processes outside. */
const scoped = 0b11n;

export interface LockedProgram {
  /** Folders that it may write into. */
  writable: readonly string[];
  /** Folders that it may read, besides what every program here needs. */
  folders: readonly string[];
  /** Files that it may read. */
  files: readonly string[];
  isRequired: boolean;
}

/**
 * A plan for a program that reads its own code and the system's, writes into its own folders and
 * has no network.
 * @param landlockVersion  of the running kernel, 0 without.
 */
export function lockPlan(
  { writable, folders, files, isRequired }: LockedProgram,
  landlockVersion: number,
): LockPlan {
  const filter = seccompFilter(landlockVersion >= 6);
  const handled = handledFiles(landlockVersion);
  const toRead = execute | readFile | readFolder;
  const toWrite = (readFile | readFolder | writeFile | changeFolder | truncate) & handled;
  const { programs, libraries } = tools();
  const rules = [
    ...[...systemFolders, ...libraries, ...folders].map((path) => ({ path, access: toRead })),
    ...programs.map((path) => ({ path, access: execute | readFile })),
    ...[...systemFiles, ...files].map((path) => ({ path, access: readFile })),
    ...devices.map((path) => ({ path, access: readFile | writeFile })),
    ...writable.map((path) => ({ path, access: toWrite })),
  ];
  return {
    ...(landlockVersion > 0 && {
      landlock: { attributes: rulesetAttributes(landlockVersion), rules },
    }),
    ...(filter && { seccomp: filter.toString("base64") }),
    isRequired,
  };
}

/**
 * `{ u64 handled_access_fs; u64 handled_access_net; u64 scoped }`, as far as the kernel knows it.
 */
function rulesetAttributes(version: number): string {
  const fields = [BigInt(handledFiles(version))];
  if (version >= 4) fields.push(handledNetwork);
  if (version >= 6) fields.push(scoped);
  const bytes = Buffer.alloc(8 * fields.length);
  for (const [i, field] of fields.entries()) bytes.writeBigUInt64LE(field, 8 * i);
  return bytes.toString("base64");
}

/** Programs and their libraries; nothing in them is secret. */
const systemFolders = ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/nix/store", "/gnu/store"];
const systemFiles = [
  ...["/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"],
  ...["/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/fs/cgroup"],
];
const devices = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/**
 * The programs that a decoder starts, and node itself, with the libraries beside their folders: no
 * more of `~/.local`, where `bin` may have ffmpeg and `share` the data.
 */
function tools(): { programs: string[]; libraries: string[] } {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = ["ffmpeg", "heif-dec", "heif-convert"].flatMap((name) =>
    folders.map((folder) => join(folder, name)).filter((path) => existsSync(path)),
  );
  const programs = [process.execPath, ...found].map((path) => realpathSync(path));
  const beside = programs.flatMap((path) =>
    ["lib", "lib64"].map((name) => join(dirname(dirname(path)), name)),
  );
  const named = (process.env.LD_LIBRARY_PATH ?? "").split(delimiter).filter(Boolean);
  return { programs, libraries: [...beside, ...named] };
}

/** The folders of packages that a module may import from. */
export function packageFolders(module: string): string[] {
  const folders = createRequire(module).resolve.paths("any-package") ?? [];
  return folders.filter((folder) => existsSync(folder));
}
