import { printable } from "./table.js";

/** Tells on stderr what a decoder warned of: damage, or parts of a file that were left out. */
export function printWarnings(warnings: readonly string[] = [], name?: string): void {
  for (const warning of warnings) {
    const sentence = name === undefined ? warning : `${name}: ${warning}`;
    console.error(`crossmodal: warning: ${printable(sentence)}`);
  }
}
