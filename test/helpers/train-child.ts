import { trainHead } from "../../src/training/train-head.js";
import { rotatedPairs } from "./pairs.js";

// Trains with a checkpoint, to be killed: `node --import tsx train-child.ts CHECKPOINT`.
await trainHead(rotatedPairs(120, { epochs: 200, mixup: 0.5, patience: 0 }), {
  threads: 1,
  checkpointPath: process.argv[2],
  onProgress: ({ epoch }) => process.stdout.write(`epoch ${epoch}\n`),
});
