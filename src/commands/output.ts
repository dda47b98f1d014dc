import { once } from "node:events";

/**
 * Thrown when the reader of stdout is gone (`crossmodal … | head`): the work ends, which is not a
 * failure.
 */
export class OutputClosed extends Error {
  override name = "OutputClosed";
}

/** @throws OutputClosed when nobody reads stdout any more. */
export function checkOutput(): void {
  if (process.stdout.destroyed || process.stdout.errored)
    throw new OutputClosed("stdout is closed");
}

/** A line of results; resolves when stdout can take more. @throws OutputClosed */
export async function print(line: string): Promise<void> {
  console.log(line);
  await roomInOutput();
}

/** Bytes of results, e.g. of an export to `-`. @throws OutputClosed */
export async function write(chunk: Uint8Array | string): Promise<void> {
  checkOutput();
  process.stdout.write(chunk);
  await roomInOutput();
}

async function roomInOutput(): Promise<void> {
  checkOutput();
  if (process.stdout.writableNeedDrain)
    await Promise.race([once(process.stdout, "drain"), closed()]);
  checkOutput();
}

const closed = () => new Promise<void>((resolve) => process.stdout.once("close", resolve));
