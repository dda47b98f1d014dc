/**
 * What of a database's troubles clients see, and whether anything that was acknowledged gets lost:
 * `npx tsx bench/database-away.ts kill|network|disk`. `network` and `disk` need root, on Linux.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { TestPostgres } from "../test/helpers/postgres.js";
import { serveOn, Traffic } from "./shared-servers.js";

const seconds = (ms: number) => (ms / 1000).toFixed(1);

async function synchronous(primary: TestPostgres): Promise<void> {
  await primary.query("alter system set synchronous_standby_names = 'ANY 1 (*)'");
  await primary.query("alter system set synchronous_commit = 'remote_apply'");
  await primary.query("select pg_reload_conf()");
}

async function received(standby: TestPostgres): Promise<number> {
  const [{ at }] = await standby.query<{ at: string }>(
    "select pg_last_wal_receive_lsn() - '0/0' as at",
  );
  return Number(at);
}

/** The standby that has most becomes the primary, and the others follow it. */
async function failOver(standbys: TestPostgres[]): Promise<TestPostgres> {
  const at = await Promise.all(standbys.map(received));
  const [promoted] = standbys.splice(at.indexOf(Math.max(...at)), 1);
  await promoted.promote();
  await synchronous(promoted);
  for (const standby of standbys) {
    const from = `host=${promoted.host} port=${promoted.port} user=postgres`;
    const info = `${from} application_name=s${standby.port}`;
    await standby.query(`alter system set primary_conninfo = '${info}'`);
    await standby.query("select pg_reload_conf()");
  }
  return promoted;
}

async function startStandbys(primary: TestPostgres, count: number): Promise<TestPostgres[]> {
  const standbys: TestPostgres[] = [];
  for (let i = 0; i < count; i++) standbys.push(await TestPostgres.standbyOf(primary));
  await synchronous(primary);
  return standbys;
}

async function killRounds(rounds = 5): Promise<void> {
  let primary = await TestPostgres.start();
  const standbys = await startStandbys(primary, rounds + 1);
  const all = [primary, ...standbys];
  const traffic = new Traffic();
  const servers = await serveOn(all, 2);
  try {
    await traffic.start(servers);
    for (let round = 1; round <= rounds; round++) {
      await traffic.untilStored(200);
      traffic.longestGap = 0;
      await primary.kill();
      await pause(1000); // as long as it takes to notice
      primary = await failOver(standbys);
      await traffic.untilStored(50);
      const lost = await traffic.lost(primary);
      console.log(`round ${round}: ${seconds(traffic.longestGap)} s without a write, ${lost} lost`);
    }
    await traffic.stop();
    console.log(`lost in the end: ${await traffic.lost(primary)}`);
    traffic.report();
  } finally {
    for (const { child } of servers) child.kill("SIGKILL");
    for (const one of all) await one.dispose();
  }
}

const space = "crossmodal-bench";
const ip = (...args: string[]) => execFileSync("ip", args);
const inside = (...args: string[]) => ip("-n", space, ...args);

/** A namespace with the primary in it, at the other end of a virtual cable. */
function layCable(): void {
  ip("netns", "add", space);
  ip("link", "add", "cm-out", "type", "veth", "peer", "name", "cm-in", "netns", space);
  ip("addr", "add", "10.213.7.1/24", "dev", "cm-out");
  ip("link", "set", "cm-out", "up");
  inside("addr", "add", "10.213.7.2/24", "dev", "cm-in");
  inside("link", "set", "cm-in", "up");
  inside("link", "set", "lo", "up");
}

/** `silent`: the database's packets vanish. `cable`: the link is down. */
const cuts = {
  silent: { cut: ["route", "add", "blackhole"], mend: ["route", "del", "blackhole"] },
  cable: { cut: ["link", "set", "cm-in", "down"], mend: ["link", "set", "cm-in", "up"] },
};
const cut = (how: keyof typeof cuts, what: "cut" | "mend") =>
  inside(...cuts[how][what], ...(how === "silent" ? ["10.213.7.1/32"] : []));

async function cutNetwork(): Promise<void> {
  layCable();
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const enter = ["ip", "netns", "exec", space, ...nobody];
  const at = { host: "10.213.7.2", enter };
  const primary = await TestPostgres.start(18, { fsync: "off" }, at);
  const standbys = await startStandbys(primary, 2);
  const all = [primary, ...standbys];
  const traffic = new Traffic();
  const servers = await serveOn(all, 2);
  try {
    await traffic.start(servers);
    for (const how of ["silent", "cable"] as const) {
      await traffic.untilStored(200);
      traffic.longestGap = 0;
      cut(how, "cut");
      await pause(15_000);
      const mended = performance.now();
      cut(how, "mend");
      await traffic.untilStored(50);
      const after = seconds(performance.now() - mended);
      console.log(
        `${how}: cut for 15 s; ${after} s later 50 items are stored, ` +
          `${await traffic.lost(primary)} lost`,
      );
    }
    traffic.longestGap = 0;
    cut("silent", "cut");
    await pause(1000);
    const promoted = await failOver(standbys);
    await traffic.untilStored(50);
    const gap = seconds(traffic.longestGap);
    console.log(
      `silent, promoted after 1 s: ${gap} s without a write, ` +
        `${await traffic.lost(promoted)} lost`,
    );
    await traffic.stop();
    console.log(`lost in the end: ${await traffic.lost(promoted)}`);
    traffic.report();
  } finally {
    for (const { child } of servers) child.kill("SIGKILL");
    for (const one of all) await one.kill().catch(() => undefined);
    for (const one of all) await one.dispose();
    ip("netns", "del", space);
  }
}

async function fillDisk(): Promise<void> {
  const mount = mkdtempSync(join(tmpdir(), "crossmodal-small-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=400m,mode=1777", "tmpfs", mount]);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = mount;
  const database = await TestPostgres.start();
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  const traffic = new Traffic();
  const servers = await serveOn([database], 2);
  const ballast = join(mount, "ballast");
  const free = () => statfsSync(mount).bavail * statfsSync(mount).bsize;
  try {
    await traffic.start(servers);
    for (let round = 1; round <= 3; round++) {
      await traffic.untilStored(100);
      traffic.longestGap = 0;
      writeFileSync(ballast, Buffer.alloc(free() - round * 500_000));
      const stored = traffic.acknowledged.size;
      await pause(15_000);
      const failures = [...traffic.failures.keys()].join("; ");
      console.log(
        `round ${round}: ${traffic.acknowledged.size - stored} stored in 15 s; ${failures}`,
      );
      rmSync(ballast);
      // With no room for its log PostgreSQL may have ended: an administrator starts it again.
      const answers = await database.query("select 1").then(
        () => true,
        () => false,
      );
      if (!answers) {
        console.log("  PostgreSQL has ended, and is started again");
        await database.stop();
        await database.run();
      }
      await traffic.untilStored(50);
      console.log(
        `  ${seconds(traffic.longestGap)} s without a write, ` +
          `${await traffic.lost(database)} lost`,
      );
    }
    await traffic.stop();
    console.log(`lost in the end: ${await traffic.lost(database)}`);
    traffic.report();
  } finally {
    for (const { child } of servers) child.kill("SIGKILL");
    await database.dispose();
    execFileSync("umount", [mount]);
    rmSync(mount, { recursive: true, force: true });
  }
}

mkdirSync(tmpdir(), { recursive: true });
const scenarios: Record<string, () => Promise<void>> = {
  kill: killRounds,
  network: cutNetwork,
  disk: fillDisk,
};
const [, , name = ""] = process.argv;
if (scenarios[name] === undefined) throw new Error("Expected kill, network or disk");
await scenarios[name]();
process.exit();
