import { signal } from "@preact/signals";
import type { GapAnswer } from "../../../../src/wire/gap.js";
import { navigate, route } from "../../router.js";
import { sentenceOf, server } from "../../server.js";

/** Two sides: a collection's, or two .npy files. */
export type Source =
  | { collection: string; pairBy: string }
  | { a: File; b: File; aModality: "image" | "audio"; paired: boolean };

export interface Measured {
  state: "working" | "done" | "failed";
  source: Source;
  report?: GapAnswer;
  sentence: string;
}

export const measured = signal<Measured>();

export async function measure(source: Source): Promise<void> {
  measured.value = { state: "working", source, sentence: "" };
  if ("collection" in source) {
    const params = { pairs: source.pairBy };
    navigate("gap", [source.collection], { params, replace: true });
  } else navigate("gap", [], { replace: true });
  try {
    const report = await server.peek().modalityGap(requestOf(source));
    if (measured.peek()?.source === source)
      measured.value = { state: "done", source, report, sentence: "" };
  } catch (error) {
    if (measured.peek()?.source === source)
      measured.value = { state: "failed", source, sentence: sentenceOf(error) };
  }
}

function requestOf(source: Source) {
  if ("collection" in source)
    return { collection: source.collection, pair_by: source.pairBy || undefined };
  const { a, b, aModality, paired } = source;
  return { a, b, a_modality: aModality, b_modality: "text" as const, paired };
}

/** What the address names, unless it is measured already. */
export function restore(): void {
  const [collection] = route.peek().path;
  const now = measured.peek()?.source;
  if (collection === undefined || (now && "collection" in now && now.collection === collection))
    return;
  void measure({ collection, pairBy: route.peek().params.get("pairs") ?? "" });
}
