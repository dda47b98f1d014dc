import { printable } from "./table.js";

/** Tells on stderr what a decoder warned of: damage, or parts of a file that were left out. */
export function printWarnings(name: string, warnings: readonly string[] = []): void {
  for (const warning of warnings)
    console.error(`crossmodal: warning: ${printable(`${name}: ${warning}`)}`);
}
