import { describe, expect, it } from "vitest";
import { applyHead, type ProjectionHead } from "../../src/encoders/head.js";
import { innerProduct, type Matrix } from "../../src/math/matrix.js";
import { seededRandom } from "../../src/math/random.js";
import { headForward } from "../../src/training/head-gradient.js";
import { initialHead } from "../../src/training/initial-head.js";
import { randomUnitRows } from "../helpers/matrices.js";

const x = randomUnitRows(7, 6, 1);
const direction = randomUnitRows(7, 6, 2);

/** A head whose parameters are all random. */
function randomHead(kind: ProjectionHead["kind"]): ProjectionHead {
  const random = seededRandom(5);
  const head = initialHead({ kind, hidden: 5 }, 6, 6, random);
  for (const { weight, bias } of head.layers) {
    for (let i = 0; i < weight.length; i++) weight[i] = random.normal();
    for (let i = 0; i < bias.length; i++) bias[i] = random.normal() / 4;
  }
  return head;
}

const embeddings = (m: Matrix) =>
  Array.from({ length: m.rows }, (_, i) =>
    Float32Array.from(m.data.subarray(i * m.columns, (i + 1) * m.columns)),
  );

describe.each(["linear", "mlp", "residual"] as const)("headForward of a %s head", (kind) => {
  const head = randomHead(kind);

  it("gives what applyHead gives", () => {
    const forward = embeddings(headForward(head, x).output);
    for (const [i, y] of applyHead(head, embeddings(x)).entries()) {
      // Both in float64 inside; inputs and outputs rounded to float32: measured at most 6e-8.
      for (const [d, value] of y.entries())
        expect(Math.abs(value - forward[i][d])).toBeLessThan(1e-6);
    }
  });

  it("has the gradient that central differences give", () => {
    const gradients = headForward(head, x).backward(direction);
    const value = () => innerProduct(headForward(head, x).output, direction);
    for (const [l, layer] of head.layers.entries()) {
      for (const part of ["weight", "bias"] as const) {
        for (let i = 0; i < layer[part].length; i++) {
          const kept = layer[part][i];
          layer[part][i] = kept + 1e-3;
          const above = layer[part][i]; // what float32 made of it
          const up = value();
          layer[part][i] = kept - 1e-3;
          const slope = (up - value()) / (above - layer[part][i]);
          layer[part][i] = kept;
          // Step 1e-3 leaves a third-order error: measured at most 9e-7.
          expect(Math.abs(slope - gradients[l][part][i])).toBeLessThan(2e-5);
        }
      }
    }
  });
});

describe("initialHead", () => {
  it.each(["linear", "mlp"] as const)(
    "leaves embeddings as they are when a %s head keeps the dimensions",
    (kind) => {
      const [first] = embeddings(x);
      const [same] = applyHead(initialHead({ kind }, 6, 6, seededRandom(1)), [first]);
      for (const [d, value] of same.entries())
        expect(Math.abs(value - first[d])).toBeLessThan(1e-6);
    },
  );
});
