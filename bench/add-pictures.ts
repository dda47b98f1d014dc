/**
 * Streams pictures into the collection `c` of a server; a process of its own, started by
 * interactive.ts, which gets the number of those that were stored.
 *
 *     add-pictures.ts URL COUNT
 */
import { request } from "node:http";
import { freshPicture } from "./fresh-pictures.js";

const [url, count] = process.argv.slice(2);
const sent = request(`${url}/v1/collections/c/items`, {
  method: "POST",
  headers: { "content-type": "application/x-ndjson" },
});
const stored = new Promise<number>((resolve, reject) => {
  sent.once("error", reject);
  sent.once("response", async (answer) => {
    let found = 0;
    for await (const chunk of answer) found += String(chunk).split('"stored"').length - 1;
    resolve(found);
  });
});
for (let i = 0; i < Number(count); i++) {
  const line = `${JSON.stringify({ id: `${i}`, image: freshPicture(i) })}\n`;
  if (!sent.write(line)) await new Promise((resolve) => sent.once("drain", resolve));
}
sent.end();
process.send?.(await stored);
process.disconnect?.();
