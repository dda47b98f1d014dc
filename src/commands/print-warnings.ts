import { printable } from "./table.js";

/** Prints a decoder's warnings to stderr: damage, or parts of a file that were skipped. */
export function printWarnings(warnings: readonly string[] = [], name?: string): void {
  for (const warning of warnings) {
    const sentence = name === undefined ? warning : `${name}: ${warning}`;
    console.error(`crossmodal: warning: ${printable(sentence)}`);
  }
}
