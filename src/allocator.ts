import { createRequire } from "node:module";

/** Source: malloc.h of glibc. */
const arenaMax = -8;

/**
 * Lets glibc have two arenas for the threads that start from now on, unless the environment says
 * how many. By default it makes one for each thread, up to eight for each core, and keeps in each
 * what was once freed there: 200 MB more after 10,000 mixed requests (bench/soak.ts), at the same
 * speed. Does nothing where there is no glibc.
 */
export function limitMallocArenas(): void {
  const { MALLOC_ARENA_MAX, GLIBC_TUNABLES } = process.env;
  if (process.platform !== "linux" || MALLOC_ARENA_MAX !== undefined) return;
  if (GLIBC_TUNABLES?.includes("glibc.malloc.arena_max") === true) return;
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    koffi.load(null).func("int mallopt(int option, int value)")(arenaMax, 2);
  } catch {
    // another C library, or a platform that koffi has no build for: it works as it did
  }
}
