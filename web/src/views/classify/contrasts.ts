import { server } from "../../server.js";
import { status } from "../../status.js";
import { everydaySounds, everydayThings, withoutArticle } from "./everyday-words.js";

const suggested = 3;
/** A nearer word is the same thing in other words. */
const sameAbove = 0.85;

/**
 * Words that a model may confuse with the labels: the everyday words nearest to any of them that do
 * not mean the same. A label that wins against these is more credible than alone.
 */
export async function suggestContrasts(
  labels: readonly string[],
  modality: "image" | "audio" | "text",
): Promise<string[]> {
  const words = modality === "audio" ? everydaySounds : everydayThings;
  const model = status.peek().models.find(({ modalities }) => modalities.includes(modality))?.id;
  const input = [...labels, ...words];
  const { data } = await server.peek().embeddings({ input, model, modality: "text" });
  const vectors = data.map(({ embedding }) => embedding as number[]);
  const ofLabels = vectors.slice(0, labels.length);
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const saidAlready = new Set(labels.map(withoutArticle));
  const nearness = words.map((word, i) => {
    const similarities = ofLabels.map((label) => dot(label, vectors[labels.length + i]));
    return { word, nearest: Math.max(...similarities) };
  });
  return nearness
    .filter(({ word, nearest }) => nearest < sameAbove && !saidAlready.has(withoutArticle(word)))
    .sort((a, b) => b.nearest - a.nearest)
    .slice(0, suggested)
    .map(({ word }) => word);
}
