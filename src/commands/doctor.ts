import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import type { Config } from "../config.js";
import { firstInferences, warmUp } from "../encoders/first-inference.js";
import { type LoadedPack, PackLoader } from "../encoders/load.js";
import { probeDevices } from "../encoders/probe-devices.js";
import { EmbeddingCache } from "../encoders/with-cache.js";
import { checkDataFolder } from "../index/embedded/check-data-folder.js";
import { sqliteVersion } from "../index/embedded/sqlite.js";
import { createLog } from "../log.js";
import { ffmpegVersion } from "../media/audio/ffmpeg.js";
import { startDecodingPool } from "../media/decoding-pool.js";
import { imageLibraryVersions } from "../media/image/decode-image.js";
import { findManifest } from "../models/store.js";
import { portProblem } from "../port.js";
import { loadOptions } from "../services/load-packs.js";
import { sandbox } from "./doctor-sandbox.js";
import { trainedParts } from "./doctor-trained-parts.js";
import type { Finding } from "./finding.js";
import { addConfigFlags, configOf, modelFlags } from "./options.js";
import { CommandError } from "./target.js";

const places = ["dataDir", "auditFile"] as const;

/**
 * `crossmodal doctor`: what this machine has, and one inference per tower with its time. Exits 1
 * when something is wrong.
 */
export function doctorCommand(program: Command): void {
  const command = program
    .command("doctor")
    .description("check this machine and the models")
    .option("--json", "print as JSON");
  addConfigFlags(command, [...places, ...modelFlags, "sandbox", "host", "port", "tlsCert"]).action(
    async (flags) => {
      const config = configOf(flags);
      const findings: Finding[] = [];
      let group = "";
      const printFinding = (finding: Finding) => {
        findings.push(finding);
        if (flags.json) return;
        if (finding.group !== group) console.log(`${group === "" ? "" : "\n"}${finding.group}`);
        group = finding.group;
        const mark = finding.ok ? (finding.absent ? "-" : "ok") : "WRONG";
        console.log(`  ${mark.padEnd(5)}  ${finding.check.padEnd(22)}  ${finding.found}`);
      };
      const { runtime, devices } = await probeDevices();
      for (const finding of await versions(runtime)) printFinding(finding);
      for (const finding of [...machine(), ...folders(config), await port(config)])
        printFinding(finding);
      for (const finding of await sandbox(config)) printFinding(finding);
      for (const finding of await trainedParts(config.dataDir)) printFinding(finding);
      for (const finding of await checkDataFolder(config.dataDir))
        printFinding({ group: "data folder", ...finding });
      for (const { device, available, reason } of devices) {
        const wanted = config.device.split(":")[0] === device;
        const found = available ? "available" : `not available: ${reason}`;
        printFinding({
          group: "devices",
          check: device,
          ok: available || !wanted,
          absent: !available,
          found,
        });
      }
      for (const id of config.models)
        for await (const finding of model(config, id)) printFinding(finding);
      if (flags.json) console.log(JSON.stringify(findings, null, 2));
      const wrong = findings.filter(({ ok }) => !ok).length;
      if (wrong > 0) throw new CommandError(`${wrong} of ${findings.length} checks failed`);
    },
  );
}

async function versions(onnxRuntime: string): Promise<Finding[]> {
  const of = (check: string, found: string, ok = true): Finding => ({
    group: "versions",
    check,
    ok,
    found,
  });
  const { version, engines } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as {
    version: string;
    engines: { node: string };
  };
  const { sharp, libvips } = imageLibraryVersions();
  const ffmpeg = await ffmpegVersion();
  const least = engines.node.replace(">=", "");
  const right = process.versions.node.localeCompare(least, "en", { numeric: true }) >= 0;
  return [
    of("crossmodal", version),
    of(
      "Node.js",
      `${process.version} on ${process.platform} ` +
        `${process.arch}${right ? "" : `; ${least} or newer is needed`}`,
      right,
    ),
    of("ONNX Runtime", onnxRuntime),
    of("sharp", `${sharp} with libvips ${libvips}`),
    of("SQLite", sqliteVersion()),
    ffmpeg === undefined
      ? { ...of("ffmpeg", "not found: M4A, AAC, WebM and AIFF cannot be read"), absent: true }
      : of("ffmpeg", ffmpeg),
  ];
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function machine(): Finding[] {
  const free = freemem();
  return [
    { group: "machine", check: "cores", ok: true, found: String(availableParallelism()) },
    {
      group: "machine",
      check: "memory",
      ok: free > 2 ** 30,
      found: `${gib(free)} free of ${gib(totalmem())}`,
    },
  ];
}

/** What the server writes to. */
function folders({ dataDir, auditFile }: Config): Finding[] {
  const data = roomIn("data folder", dataDir);
  return auditFile === "" ? [data] : [data, roomIn("audit file", auditFile, true)];
}

/** A folder or file can be read and written, and its disk has a gigabyte left. */
function roomIn(check: string, path: string, isFile = false): Finding {
  const finding = { group: "machine", check };
  try {
    // Before the first use it is not there: then it must be possible to make it.
    let there = resolve(path);
    while (!existsSync(there)) there = dirname(there);
    const isMade = there === resolve(path);
    const hint = isMade ? "" : " (not made yet)";
    if (statSync(there).isDirectory() === (isFile && isMade))
      throw new Error(`${there} is ${isFile ? "" : "not "}a folder`);
    accessSync(there, constants.R_OK | constants.W_OK);
    const { bavail, bsize } = statfsSync(there);
    const free = bavail * bsize;
    const found = `${resolve(path)}${hint}, ${gib(free)} free on its disk`;
    return { ...finding, ok: free > 2 ** 30, found };
  } catch (error) {
    return { ...finding, ok: false, found: `${path}: ${(error as Error).message}` };
  }
}

async function port(config: Config): Promise<Finding> {
  const problem = await portProblem(config);
  const found = `${config.host}:${config.port} ${problem?.why ?? "is free"}`;
  return { group: "machine", check: "port", ok: problem?.isOurs ?? true, found };
}

/**
 * Loads a model as the server would, then runs one small input through each tower. The data folder
 * is only read.
 */
async function* model(config: Config, id: string): AsyncGenerator<Finding> {
  const group = "models";
  const media = startDecodingPool({ processes: 1 });
  try {
    const loader = new PackLoader({ ...loadOptions(config), media, cache: new EmbeddingCache(0) });
    const pack = await loader.load(findManifest(config.dataDir, id));
    try {
      await warmUp([pack], config.maxBatch, { log: createLog("silent") });
      yield {
        group,
        check: id,
        ok: true,
        found: `${pack.space}, every file as its manifest says`,
        space: pack.space,
      };
      for (const tower of pack.towers) yield await inference(id, pack, tower);
    } finally {
      await pack.dispose();
    }
  } catch (error) {
    yield { group, check: id, ok: false, found: (error as Error).message };
  } finally {
    await media.close();
  }
}

async function inference(
  id: string,
  pack: LoadedPack,
  tower: LoadedPack["towers"][number],
): Promise<Finding> {
  const { modality, dtype, provider } = tower;
  const start = performance.now();
  await firstInferences[modality](pack);
  const ms = Number((performance.now() - start).toFixed(1));
  const sha256 = pack.manifest.towers[modality]?.files[dtype]?.sha256;
  const found = `${dtype} on ${provider}, ${ms} ms an input, sha256 ${sha256?.slice(0, 12)}…`;
  return { group: "models", check: `${id} ${modality}`, ok: true, found, ms, sha256, provider };
}
