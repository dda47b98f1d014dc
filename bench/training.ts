import { spawn } from "node:child_process";
import { availableParallelism, cpus } from "node:os";
import { seededRandom } from "../src/math/random.js";
import { openGraphStepper } from "../src/training/graph-stepper.js";
import { initialHead } from "../src/training/initial-head.js";
import {
  type Batch,
  initialLogitScale,
  initialState,
  type Network,
  type Stepper,
} from "../src/training/network.js";
import { adamWDefaults } from "../src/training/optimizer.js";
import { plainStepper } from "../src/training/plain-stepper.js";
import { readArguments } from "./read-arguments.js";

// How long is a training step? Batch 256, two linear heads 512 -> 512, symmetric InfoNCE, AdamW,
// learned logit scale.
//   npm run bench:training -- [--threads N] [--rounds N] [--python PATH]
// Rounds are interleaved: the graph, then PyTorch, then again. PATH is a Python with torch; without
// it PyTorch is left out.

const { values } = readArguments(import.meta.url, {
  options: {
    threads: { type: "string" },
    rounds: { type: "string", default: "5" },
    python: { type: "string" },
  },
});
const threads = Number(values.threads ?? Math.max(1, Math.floor(availableParallelism() / 2)));
const rounds = Number(values.rounds);
const { python } = values;
const [size, dimensions, stepsPerRound] = [256, 512, 64];
const rate = 1e-3;

const random = seededRandom(1);
const network: Network = {
  loss: "infonce",
  a: initialHead({ kind: "linear" }, dimensions, dimensions, random),
  b: initialHead({ kind: "linear" }, dimensions, dimensions, random),
  logitScale: initialLogitScale,
  logitBias: 0,
  learnLogits: true,
};
const unitRows = () => {
  const rows = Float32Array.from({ length: size * dimensions }, () => random.normal());
  for (let i = 0; i < rows.length; i += dimensions) {
    const length = Math.hypot(...rows.subarray(i, i + dimensions));
    for (let d = 0; d < dimensions; d++) rows[i + d] /= length;
  }
  return rows;
};
const batches: Batch[] = Array.from({ length: stepsPerRound }, () => ({
  size,
  a: unitRows(),
  b: unitRows(),
}));
const options = { optimizer: adamWDefaults, decayTowards: "zero" as const };

async function msPerStep(stepper: Stepper, steps: number): Promise<number> {
  const some = batches.slice(0, steps);
  const start = performance.now();
  await stepper.train(
    some,
    some.map(() => rate),
  );
  return (performance.now() - start) / steps;
}

/**
 * The peer trains a round for each line it is sent, and answers with milliseconds per step and its
 * peak memory in MiB.
 */
function startPeer(path: string) {
  const peer = spawn(
    path,
    [new URL("training_peer.py", import.meta.url).pathname, String(threads), String(stepsPerRound)],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const lines: ((line: string) => void)[] = [];
  peer.once("exit", (code) => {
    if (code !== 0) throw new Error(`The PyTorch peer ended with exit code ${code}`);
  });
  let rest = "";
  peer.stdout.on("data", (text: Buffer) => {
    rest += text.toString();
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      lines.shift()?.(rest.slice(0, end));
      rest = rest.slice(end + 1);
    }
  });
  return {
    round: (optimizer: "adamw" | "adamw-fused") =>
      new Promise<{ ms: number; mib: number }>((resolve) => {
        lines.push((line) => resolve(JSON.parse(line)));
        peer.stdin.write(`${optimizer}\n`);
      }),
    end: () => peer.stdin.end(),
  };
}

const idleMib = process.memoryUsage().rss / 2 ** 20;
const graph = await openGraphStepper(network, initialState(network), { ...options, threads });
await msPerStep(graph, 8);
const peer = python === undefined ? undefined : startPeer(python);
await peer?.round("adamw");
await peer?.round("adamw-fused");
const times: Record<string, number[]> = { graph: [], torch: [], "torch, fused AdamW": [] };
let peerMib = 0;
for (let round = 0; round < rounds; round++) {
  times.graph.push(await msPerStep(graph, stepsPerRound));
  if (peer === undefined) continue;
  times.torch.push((await peer.round("adamw")).ms);
  const fused = await peer.round("adamw-fused");
  times["torch, fused AdamW"].push(fused.ms);
  peerMib = fused.mib;
}
const graphMib = process.memoryUsage().rss / 2 ** 20;
await graph.close();
peer?.end();
const plain = plainStepper(network, initialState(network), options);
times["plain TypeScript"] = [await msPerStep(plain, 2)];

const median = (values: number[]) =>
  [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)];
const reference = median(times.graph);
console.log(`${cpus()[0].model}, ${threads} thread(s), ${rounds} rounds of ${stepsPerRound} steps`);
for (const [name, values] of Object.entries(times)) {
  if (values.length === 0) continue;
  const spread = `${Math.min(...values).toFixed(1)}-${Math.max(...values).toFixed(1)}`;
  console.log(
    `${name.padEnd(20)} ${median(values).toFixed(1).padStart(7)} ms per step (${spread}), ` +
      `${(median(values) / reference).toFixed(2)} x the graph`,
  );
}
console.log(
  `memory: ${graphMib.toFixed(0)} MiB, of which ${idleMib.toFixed(0)} before the graph; ` +
    `PyTorch's process ${peerMib.toFixed(0)} MiB at its peak`,
);
