import type { Random } from "../../src/math/random.js";

/** A whole file of a format, from which damaged ones are made. */
export interface Seed {
  name: string;
  bytes: Uint8Array;
}

/** What came of a damaged file, and what is wrong with that. */
export interface FuzzResult<Outcome extends string = string> {
  /** Undefined when the file was refused by design, or decoded as it should be. */
  fault?: string;
  outcome: Outcome;
}

/** A file with one to three kinds of damage. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let out = Buffer.from(bytes);
  for (let i = 0; i <= random.integer(3); i++) {
    // Half of it in the headers, where it does most.
    const range = random.integer(2) === 0 ? Math.min(out.length, 300) : out.length;
    const at = random.integer(Math.max(1, range));
    const length = 1 + random.integer(Math.max(1, Math.min(3000, out.length - at)));
    const kind = random.integer(8);
    if (kind === 0) out = out.subarray(0, at + 1);
    else if (kind === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
    else if (kind === 2)
      out = Buffer.concat([out.subarray(0, at), noise(length, random), out.subarray(at)]);
    else if (kind === 3) out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)]);
    else {
      out = Buffer.from(out);
      if (kind === 4) out.fill(0, at, at + length);
      else if (kind === 5) out.fill(0xff, at, Math.min(at + 4, out.length));
      else if (kind === 6) noise(length, random).copy(out, at);
      else if (out.length > 0) out[at] ^= 1 << random.integer(8);
    }
  }
  return new Uint8Array(out);
}

function noise(length: number, random: Random): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random.integer(256)));
}
