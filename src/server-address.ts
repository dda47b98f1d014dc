import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localUrl, type ServerPlace } from "./ask-health.js";
import type { Log } from "./log.js";

const fileIn = (dataDir: string): string => join(dataDir, "crossmodal.url");

/**
 * Writes where a server listens into its data folder: the configuration may change before a
 * restart applies it. A folder that takes no file is a warning.
 * @returns removes it, while the folder is still the server's.
 */
export function tellAddress(place: ServerPlace & { dataDir: string }, log: Log): () => void {
  const path = fileIn(place.dataDir);
  const remove = () => {
    try {
      rmSync(path, { force: true });
    } catch {
      // Nothing answers there, which `crossmodal health` says
    }
  };
  remove(); // of a server that was killed
  try {
    writeFileSync(path, `${localUrl(place)}\n`, { flag: "wx" });
  } catch (error) {
    log.warn({ err: error }, "crossmodal health will go by the configuration");
  }
  return remove;
}

/** Where the server of a data folder listens, by what it wrote; undefined where nothing is told. */
export function addressIn(dataDir: string): string | undefined {
  try {
    const { protocol, origin } = new URL(readFileSync(fileIn(dataDir), "utf8"));
    return ["http:", "https:"].includes(protocol) ? origin : undefined;
  } catch {
    return undefined;
  }
}
