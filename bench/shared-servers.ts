import { setTimeout as pause } from "node:timers/promises";
import { seededRandom } from "../src/math/random.js";
import { normalize } from "../src/math/vector.js";
import type { TestPostgres } from "../test/helpers/postgres.js";
import { type ServedProcess, serve, untilReady } from "../test/helpers/serve.js";

export const json = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init);
  return {
    status: response.status,
    headers: response.headers,
    // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
    body: (await response.json()) as any,
  };
};

export const post = (body: unknown, method = "POST"): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** API servers on a database, of which any of `postgres` may be the primary. */
export async function serveOn(
  postgres: readonly TestPostgres[],
  count: number,
): Promise<ServedProcess[]> {
  const hosts = postgres.map(({ host, port }) => `${host}:${port}`).join(",");
  const store = `postgres://postgres@${hosts}/postgres`;
  const servers: ServedProcess[] = [];
  for (let i = 0; i < count; i++) {
    const server = await serve(["--models", "starter-clip", "--threads", "1", "--store", store]);
    process.once("exit", () => void server.child.kill("SIGKILL"));
    servers.push(server);
  }
  for (const server of servers) await untilReady(server);
  return servers;
}

const dimensions = 16;

/** A writer and a reader for each server, which remember what was acknowledged. */
export class Traffic {
  readonly acknowledged = new Map<string, number[]>();
  /** Answers other than 200, by status and code. */
  readonly failures = new Map<string, number>();
  readonly wrong: string[] = [];
  searches = 0;
  lastStored = 0;
  /** The longest time without a stored item since it was set to 0, in ms. */
  longestGap = 0;
  slowest = 0;
  #isOver = false;
  #working: Promise<unknown> = Promise.resolve();
  readonly #random = seededRandom(1);

  async start(servers: readonly ServedProcess[]): Promise<void> {
    const spec = { name: "photos", space: "plain", dimensions };
    await json(`${servers[0].url}/v1/collections`, post(spec));
    this.#working = Promise.all(
      servers.flatMap(({ url }, i) => [this.#write(url, `w${i}`), this.#read(url)]),
    );
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  /** Resolves once items are stored again. */
  async untilStored(count = 50): Promise<void> {
    const before = this.acknowledged.size;
    while (this.acknowledged.size < before + count) await pause(20);
  }

  async #ask(url: string, body: unknown) {
    const begin = performance.now();
    try {
      const { status, headers, body: answer } = await json(url, post(body));
      if (status === 200) return answer;
      const retry = headers.has("retry-after") ? "with" : "without";
      this.#failed(`${status} ${answer.error?.code}, ${retry} Retry-After`);
    } catch (error) {
      this.#failed(`${(error as Error).message}`);
    } finally {
      this.slowest = Math.max(this.slowest, performance.now() - begin);
    }
    await pause(50);
    return undefined;
  }

  async #write(url: string, mark: string): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      const items = Array.from({ length: 5 }, (_, n) => ({
        id: `${mark}-${i}-${n}`,
        modality: "text",
        embedding: [...normalize(Array.from({ length: dimensions }, () => this.#random.normal()))],
      }));
      const answer = await this.#ask(`${url}/v1/collections/photos/items`, { items });
      if (answer === undefined) continue;
      const now = performance.now();
      if (this.lastStored > 0) this.longestGap = Math.max(this.longestGap, now - this.lastStored);
      this.lastStored = now;
      for (const [n, { status, error }] of answer.statuses.entries())
        if (status === "stored") this.acknowledged.set(items[n].id, items[n].embedding);
        else this.#failed(`an item ${status}: ${error?.code} ${error?.message}`);
      await pause(20);
    }
  }

  /** What was acknowledged before a search is found by it. */
  async #read(url: string): Promise<void> {
    while (!this.#isOver) {
      const all = [...this.acknowledged];
      if (all.length === 0) await pause(20);
      else {
        const [id, embedding] = all[this.#random.integer(all.length)];
        const query = { embedding, top_k: 1, space: "plain" };
        const answer = await this.#ask(`${url}/v1/collections/photos/search`, query);
        if (answer !== undefined) this.searches++;
        if (answer !== undefined && answer.results[0]?.id !== id) this.wrong.push(id);
        await pause(30);
      }
    }
  }

  #failed(what: string): void {
    this.failures.set(what, (this.failures.get(what) ?? 0) + 1);
  }

  /** Acknowledged items that a database does not have. */
  async lost(database: TestPostgres): Promise<number> {
    const acknowledged = [...this.acknowledged.keys()];
    const rows = await database.query<{ id: string }>("select id from crossmodal.items_1");
    const there = new Set(rows.map(({ id }) => id));
    return acknowledged.filter((id) => !there.has(id)).length;
  }

  report(): void {
    console.log(`acknowledged ${this.acknowledged.size}, searches ${this.searches}`);
    console.log(
      `wrong answers ${this.wrong.length}, slowest answer ${(this.slowest / 1000).toFixed(1)} s`,
    );
    for (const [what, count] of this.failures) console.log(`  ${count} x ${what}`);
  }
}
