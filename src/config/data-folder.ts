import { homedir } from "node:os";
import { posix, win32 } from "node:path";

/**
 * Where programs keep the data of a user, by the conventions of the system: on Linux
 * `$XDG_DATA_HOME/crossmodal` or `~/.local/share/crossmodal`.
 *
 * Source: XDG Base Directory Specification 0.8 (a relative path in the variable is ignored); Apple,
 * File System Programming Guide; Microsoft, Known Folders.
 */
export function defaultDataDir(
  environment: NodeJS.ProcessEnv,
  { platform = process.platform, home = homedir() } = {},
): string {
  if (platform === "win32") {
    const local = environment.LOCALAPPDATA ?? win32.join(home, "AppData", "Local");
    return win32.join(local, "crossmodal");
  }
  if (platform === "darwin")
    return posix.join(home, "Library", "Application Support", "crossmodal");
  const { XDG_DATA_HOME: named = "" } = environment;
  return posix.join(posix.isAbsolute(named) ? named : `${home}/.local/share`, "crossmodal");
}
