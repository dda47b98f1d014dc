/**
 * Pictures a second over HTTP, this server against another that answers POST /embeddings in
 * infinity-emb's shape:
 *
 *     npx tsx bench/http-peer.ts --url http://127.0.0.1:8080 --model ID
 *         --peer http://127.0.0.1:7997 --peer-model NAME [--pid PID --peer-pid PID]
 *         [--image FILE] [--requests 64] [--clients 32] [--rounds 5]
 *
 * Both get the same requests, one picture each, from so many clients at once, in turn round by
 * round; the medians are printed. With the process ids (Linux), the processor time of a picture
 * too, which other work changes less. Start our server with `--cache-bytes 0`, and both with the
 * same number of threads.
 */
import { readFileSync } from "node:fs";
import { readArguments } from "./read-arguments.js";

const { values } = readArguments(import.meta.url, {
  options: {
    url: { type: "string", default: "http://127.0.0.1:8080" },
    model: { type: "string", default: "full-clip" },
    pid: { type: "string" },
    peer: { type: "string", default: "http://127.0.0.1:7997" },
    "peer-model": { type: "string", default: "peer-clip" },
    "peer-pid": { type: "string" },
    image: { type: "string", default: "fixtures/images/cat.jpg" },
    requests: { type: "string", default: "64" },
    clients: { type: "string", default: "32" },
    rounds: { type: "string", default: "5" },
  },
});
const [requests, clients, rounds] = [values.requests, values.clients, values.rounds].map(Number);
const picture = `data:image/jpeg;base64,${readFileSync(values.image).toString("base64")}`;
const servers = [
  { name: "crossmodal", url: `${values.url}/v1/embeddings`, model: values.model, pid: values.pid },
  {
    name: "peer",
    url: `${values.peer}/embeddings`,
    model: values["peer-model"],
    pid: values["peer-pid"],
  },
];
const median = (numbers: number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/**
 * Milliseconds of processor time that a process has taken, all threads; 100 ticks a second, as
 * Linux counts.
 */
function processorMs(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

async function run({ url, model }: { url: string; model: string }): Promise<void> {
  const body = JSON.stringify({
    model,
    input: [picture],
    modality: "image",
    encoding_format: "base64",
  });
  let next = 0;
  const client = async () => {
    while (next++ < requests) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const answer = (await response.json()) as { data?: unknown[] };
      if (answer.data?.length !== 1)
        throw new Error(`${url} answered ${JSON.stringify(answer).slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

const found = servers.map(() => ({ perSecond: [] as number[], cpuMs: [] as number[] }));
for (let round = -1; round < rounds; round++) {
  for (const [i, server] of servers.entries()) {
    const cpu = server.pid === undefined ? 0 : processorMs(server.pid);
    const start = performance.now();
    await run(server);
    if (round < 0) continue; // the first round warms up
    found[i].perSecond.push((1000 * requests) / (performance.now() - start));
    if (server.pid !== undefined) found[i].cpuMs.push((processorMs(server.pid) - cpu) / requests);
  }
}
console.log(`${clients} clients, one picture a request, median of ${rounds} rounds of ${requests}`);
for (const [i, { name }] of servers.entries()) {
  const { perSecond, cpuMs } = found[i];
  const cpu = cpuMs.length === 0 ? "" : `, ${median(cpuMs).toFixed(1)} ms of processor time each`;
  console.log(`${name.padEnd(12)}${median(perSecond).toFixed(2)} pictures a second${cpu}`);
}
console.log(`ratio ${(median(found[0].perSecond) / median(found[1].perSecond)).toFixed(2)}`);
