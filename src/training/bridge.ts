import type { ProjectionHead } from "../encoders/head.js";
import { invalidInput } from "../errors.js";
import { areAlike, distinctRows, meanRow, rowCount, unitRows } from "../math/rows.js";
import type { BridgeData, BridgeOptions } from "./bridge-options.js";
import { learnBridge } from "./c-mcr.js";
import { throwIfCancelled } from "./cancellation.js";
import { headAround, procrustes, ridge } from "./linear-bridge.js";
import type { TrainingControl } from "./run-epochs.js";

/**
 * Learns a head from space A into space B through the texts that both understand. B is unchanged.
 *
 * The closed forms map A's texts onto B's, each minus its mean; the head subtracts the mean of
 * `memoryFrom`, so that sounds are centred like the texts (default: the mean of the texts).
 */
export async function fitBridge(
  options: BridgeOptions,
  control: TrainingControl = {},
): Promise<ProjectionHead> {
  const { method } = options;
  const [textsFrom, textsTo] = [options.textsFrom, options.textsTo].map((texts) =>
    unitRows(texts, "texts"),
  );
  const counts = [rowCount(textsFrom), rowCount(textsTo)] as const;
  if (counts[0] !== counts[1]) {
    const message = `Expected every text in both spaces but received ${counts.join(" and ")}`;
    throw invalidInput("texts", message);
  }
  if (counts[0] < 16)
    throw invalidInput("texts", `A bridge needs at least 16 texts but received ${counts[0]}`);
  for (const [side, texts] of [["from", textsFrom] as const, ["to", textsTo] as const]) {
    if (!areAlike(texts)) continue;
    const found = `${distinctRows(texts)} distinct vector of ${counts[0]}`;
    const why = `The texts have equal embeddings in the model "${side}" (${found})`;
    throw invalidInput("texts", `${why}: nothing can be learned from them`);
  }
  const memoryFrom = memoryOf(options, "memoryFrom", textsFrom.dimensions);
  const memoryTo = memoryOf(options, "memoryTo", textsTo.dimensions);
  throwIfCancelled(control.signal);
  if (method === "c-mcr")
    return learnBridge({ ...options, textsFrom, textsTo, memoryFrom, memoryTo }, control);
  const map = method === "ridge" ? ridge(textsFrom, textsTo) : procrustes(textsFrom, textsTo);
  return headAround(map, meanRow(memoryFrom ?? textsFrom));
}

function memoryOf(data: BridgeData, name: "memoryFrom" | "memoryTo", dimensions: number) {
  const memory = data[name];
  if (memory === undefined || memory.dimensions === dimensions)
    return memory && unitRows(memory, name);
  const expected = `Expected ${dimensions} numbers for each row of "${name}"`;
  throw invalidInput(name, `${expected} but received ${memory.dimensions}`);
}
