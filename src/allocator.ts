import { libc } from "./libc.js";

/** Options of mallopt. Source: malloc.h of glibc. */
const arenaMax = -8;
const mmapThreshold = -3;

/**
 * Makes glibc return what a server frees to the system, unless the environment says how it should
 * allocate. By default it makes an arena for each thread, up to eight for each core, raises the
 * size from which blocks are mapped separately to 32 MiB, and keeps the gaps that media and tensors
 * leave: 200 MB more after 10,000 mixed requests (bench/soak.ts), at the same speed. Does nothing
 * where there is no glibc. Must be called before threads start: their arenas stay.
 */
export function tuneAllocator(): void {
  const { MALLOC_ARENA_MAX, MALLOC_MMAP_THRESHOLD_, GLIBC_TUNABLES } = process.env;
  const settings = [MALLOC_ARENA_MAX, MALLOC_MMAP_THRESHOLD_, GLIBC_TUNABLES];
  if (process.platform !== "linux" || settings.some((value) => value !== undefined)) return;
  try {
    const mallopt = libc("int mallopt(int option, int value)");
    mallopt(arenaMax, 2);
    mallopt(mmapThreshold, 256 * 1024);
  } catch {
    // another C library, or a platform that koffi has no build for: nothing changes
  }
}
