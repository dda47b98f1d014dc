import { createRequire } from "node:module";

/**
 * The functions of the C library, by their C declaration. koffi is loaded on the first call only:
 * it is a native addon.
 * @throws Error where koffi has no build for the platform, or the library lacks the function.
 */
export function libc(declaration: string): (...args: unknown[]) => unknown {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  return koffi.load(null).func(declaration);
}
