import { writeNpy } from "../../src/math/npy.js";
import { seededRandom } from "../../src/math/random.js";

/**
 * A request to train a head of starter-clip on 60 pairs of noise, every epoch run to the end.
 * @param dimensions  of the model's embeddings.
 * @param fields  further fields of the form, `name` and `epochs` among them.
 */
export function noiseTraining(dimensions: number, fields: Record<string, string>): RequestInit {
  const random = seededRandom(5);
  const rows = () => {
    const data = Float32Array.from({ length: 60 * dimensions }, () => random.normal());
    return new Blob([Uint8Array.from(writeNpy({ shape: [60, dimensions], data }))]);
  };
  const body = new FormData();
  for (const side of ["a", "b"]) body.append(side, rows(), `${side}.npy`);
  for (const [field, value] of Object.entries({ model: "starter-clip", patience: "0", ...fields }))
    body.append(field, value);
  return { method: "POST", body };
}
