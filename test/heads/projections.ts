import type { ProjectionHead } from "../../src/encoders/head.js";
import type { NewHeadVersion } from "../../src/heads/head-store.js";
import { trainingDefaults } from "../../src/training/training-request.js";

/** A linear head of two dimensions. */
export const projection = (...weight: number[]): ProjectionHead => ({
  kind: "linear",
  layers: [
    {
      weight: Float32Array.from(weight),
      bias: new Float32Array(2),
      dimensionsIn: 2,
      dimensionsOut: 2,
    },
  ],
});

/** Its description, as a training ends with. */
export const projectionVersion = (improved: boolean, job?: string): NewHeadVersion => ({
  kind: "projection",
  model: "eye",
  fromSpace: "eye@1",
  dimensions: 2,
  sides: { a: "image", b: "text" },
  lineage: { data: "abc", seed: 1, job },
  report: {
    options: trainingDefaults,
    heads: { a: "linear", b: "locked" },
    data: { pairs: 10, train: 6, validation: 2, test: 2, sha256: "abc" },
    epochs: [],
    bestEpoch: 1,
    stoppedBy: "epochs",
    measures: {},
    verdict: { improved, reason: "Measured." },
  },
});
