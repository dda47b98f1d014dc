import type { Config } from "../config.js";
import { decoderLocks } from "../media/decoder-locks.js";
import { lockSupport } from "../sandbox/support.js";
import type { Finding } from "./finding.js";

const group = "sandbox";

/** Which locks hold for the processes that decode media: one is started and tries. */
export async function sandbox({ sandbox: mode }: Config): Promise<Finding[]> {
  if (mode === "off")
    return [{ group, check: "decoders", ok: true, absent: true, found: "off (option sandbox)" }];
  try {
    const { files, network } = await decoderLocks("auto");
    const { landlock, reason = "the kernel refuses it" } = lockSupport();
    const of = (check: string, holds: boolean, found: string): Finding =>
      holds
        ? { group, check, ok: true, found }
        : { group, check, ok: mode !== "required", absent: true, found: `not locked: ${reason}` };
    const code = `only code, programs and a folder of their own (Landlock ${landlock})`;
    return [
      of("files of decoders", files, code),
      of("network of decoders", network, "no sockets, and no calls on other processes (seccomp)"),
    ];
  } catch (error) {
    return [{ group, check: "decoders", ok: false, found: (error as Error).message }];
  }
}
