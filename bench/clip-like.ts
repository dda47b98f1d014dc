import { seededRandom } from "../src/math/random.js";
import { normalize } from "../src/math/vector.js";

/**
 * Vectors that lie as CLIP's do: two narrow cones (pictures, texts), a common meaning with a
 * falling spectrum, and noise. Checked against the 500 pairs of ViT-B/32 features in
 * fixtures/golden/modality_gap_clip_features.npy: mean cosine within pictures .53 (here .50); share
 * of variance in the first 10, 50, 100 and 200 directions .39 .70 .84 .96 (here .44 .71 .83 .94).
 */
export function clipLike(n: number, dimensions: number, queries: number, seed = 1) {
  const random = seededRandom(seed);
  const normal = (length: number) => Float32Array.from({ length }, () => random.normal());
  const pictureAxis = normalize(normal(dimensions));
  const textAxis = normalize(normal(dimensions));
  const spectrum = Float32Array.from({ length: dimensions }, (_, i) => (i + 1) ** -0.5);
  const scale = 1 / Math.hypot(...spectrum);
  const meaning = () => spectrum.map((s) => s * scale * random.normal());
  const vector = (axis: Float32Array, common: Float32Array, keep: number) => {
    const own = Math.sqrt(1 - keep * keep);
    const other = meaning();
    return normalize(axis.map((a, i) => a + keep * common[i] + own * other[i]));
  };
  const corpus = Array.from({ length: n }, () => vector(pictureAxis, meaning(), 1));
  const inDistribution = Array.from({ length: queries }, () => vector(pictureAxis, meaning(), 1));
  const crossModal = Array.from({ length: queries }, () => vector(textAxis, meaning(), 0.7));
  return { corpus, inDistribution, crossModal };
}
