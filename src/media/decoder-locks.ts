import type { Locks, SandboxMode } from "../sandbox/support.js";
import { Decoder } from "./decoder.js";
import { decoderEntry } from "./decoder-start.js";

/**
 * Which locks hold, found by a decoding process that is started for it.
 * @throws DecoderEnded when it does not start.
 */
export async function decoderLocks(sandbox: SandboxMode, entry = decoderEntry): Promise<Locks> {
  const decoder = new Decoder(entry, sandbox);
  try {
    const onePixel = { method: "thumbnail", media: { width: 1, height: 1 } } as const;
    const budget = { cpuMs: 30_000, memoryBytes: 2 ** 30 };
    await decoder.run(onePixel, [new Uint8Array(3)], budget);
    return decoder.locks!;
  } finally {
    await decoder.end("not needed");
  }
}
