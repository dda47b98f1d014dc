/**
 * The clients of server.ts without the server: as many requests a second, from as many clients, to
 * a server of plain node:http that answers each at once. A process of its own, started by
 * server.ts, which ends it.
 *
 *     idle-clients.ts MODALITY CLIENTS REQUESTS_A_SECOND
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { Modality } from "../src/encoders/encoder.js";
import { embeddingRequest } from "./fresh-inputs.js";
import { postJson } from "./post-json.js";

const [modality, clients, rate] = process.argv.slice(2);
const embedding = Buffer.from(new Float32Array(512).fill(0.1).buffer).toString("base64");
const answer = JSON.stringify({ object: "list", data: [{ object: "embedding", embedding }] });
const server = createServer(async (request, response) => {
  for await (const _ of request);
  response.setHeader("content-type", "application/json").end(answer);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const pauseMs = (1000 * Number(clients)) / Number(rate);
async function client(index: number): Promise<never> {
  const start = performance.now() + (pauseMs * index) / Number(clients);
  for (let turn = 0; ; turn++) {
    await wait(Math.max(0, start + turn * pauseMs - performance.now()));
    await postJson(url, embeddingRequest("none", modality as Modality));
  }
}
for (let i = 0; i < Number(clients); i++) void client(i);
await wait(1000); // what is slow only once
process.send?.("warm");
