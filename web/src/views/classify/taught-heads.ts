import { signal } from "@preact/signals";
import type { HeadAnswer } from "../../../../src/wire/heads.js";
import { toast } from "../../components/toasts.js";
import { needsKey, server } from "../../server.js";
import { status } from "../../status.js";
import type { LabelSet, TaughtHead } from "./request.js";
import { changeSet, sets } from "./state.js";

/** Those that the server keeps and that can be used, by name. */
export const taughtHeads = signal<readonly TaughtHead[]>([]);

/** Reads them anew, and what the sets on the page have of them. */
export async function refreshTaughtHeads(): Promise<void> {
  if (needsKey.peek()) return;
  try {
    const { data } = await server.peek().listHeads();
    taughtHeads.value = data.flatMap(versionsOf);
  } catch {
    return; // There are none to choose from; classifying reports what is wrong
  }
  for (const { id, head } of sets.peek()) {
    if (head === undefined) continue;
    const now = headNamed(head.reference);
    if (now === undefined)
      toast(`${head.reference} is not there any more; the model alone answers`);
    if (now?.version !== head.version) changeSet(id, withHead(now));
  }
}

/** Each version that can be used; the one in use goes by the name alone. */
function versionsOf({ name, versions }: HeadAnswer): TaughtHead[] {
  const usable = versions.flatMap((one) => ("error" in one ? [] : [one]));
  const newest = Math.max(...usable.map(({ version }) => version));
  const isUsed = usable.some(({ active }) => active);
  return usable.map(({ version, active, from_space, modalities, labels }) => ({
    reference: active ? name : `${name}@${version}`,
    version,
    isOffered: isUsed ? active : version === newest,
    space: from_space,
    modalities,
    labels,
  }));
}

/** @param reference  also the number of the version that is in use. */
export function headNamed(reference: string): TaughtHead | undefined {
  const isIt = (one: TaughtHead) =>
    one.reference === reference || `${one.reference}@${one.version}` === reference;
  return taughtHeads.peek().find(isIt);
}

/** Whether the model that it was taught with is loaded. */
export const isLoaded = ({ space }: TaughtHead) =>
  status.value.models.some((model) => model.space === space);

/** A set as the head answers it: with the labels that it was taught, if it knows no others. */
export const withHead = (head: TaughtHead | undefined): Partial<LabelSet> =>
  head?.labels === undefined ? { head } : { head, labels: head.labels, saved: undefined };
