import { AppError } from "../errors.js";

/**
 * What a folder is called where disks ignore case (macOS, Windows) and dots at the end (Windows):
 * "Calls", "calls" and "calls." are one there.
 */
export const folderKey = (name: string): string => name.toLowerCase().replace(/\.+$/, "");

/**
 * Refuses a new name that some disks would keep in the folder of another one: a data folder stays
 * portable, and nothing is written over.
 *
 * @param what    in the singular, such as "head".
 * @param others  names that there are; the name itself may be among them.
 * @throws AppError `conflict`.
 */
export function refuseTwin(what: string, name: string, others: readonly string[]): void {
  if (others.includes(name)) return;
  const twin = others.find((other) => folderKey(other) === folderKey(name));
  if (twin === undefined) return;
  const message =
    `There is already a ${what} "${twin}", and "${name}" would be the same file on macOS or ` +
    "Windows; choose another name";
  throw new AppError("conflict", message, { param: "name" });
}
