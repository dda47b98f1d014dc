import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, freemem, totalmem } from "node:os";
import type { Command } from "commander";
import type { Config } from "../config.js";
import { createLog } from "../log.js";
import { createServices, firstInferences } from "../services.js";
import { addConfigFlags, configOf } from "./options.js";
import { CommandError } from "./target.js";

interface Finding {
  check: string;
  ok: boolean;
  found: string;
}

/** `crossmodal doctor`: what this machine has, and one inference per tower with its time. Exits 1 when something is wrong. */
export function doctorCommand(program: Command): void {
  const command = program
    .command("doctor")
    .description("check this machine and the models")
    .option("--json", "print as JSON");
  addConfigFlags(command, ["dataDir", "models", "device", "dtype", "host", "port"]).action(async (given) => {
    const config = configOf(given);
    const findings = [...machine(), dataFolder(config), await port(config), ...(await models(config))];
    if (given.json) console.log(JSON.stringify(findings, null, 2));
    else
      for (const { check, ok, found } of findings)
        console.log(`${ok ? "ok    " : "WRONG "} ${check.padEnd(28)} ${found}`);
    const wrong = findings.filter(({ ok }) => !ok).length;
    if (wrong > 0) throw new CommandError(`${wrong} of ${findings.length} checks failed`);
  });
}

function machine(): Finding[] {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return [
    {
      check: "Node.js",
      ok: Number(process.versions.node.split(".")[0]) >= 20,
      found: `${process.version} on ${process.platform} ${process.arch}`,
    },
    { check: "cores", ok: true, found: String(availableParallelism()) },
    { check: "memory", ok: freemem() > 2 ** 30, found: `${gib(freemem())} free of ${gib(totalmem())}` },
  ];
}

function dataFolder({ dataDir }: Config): Finding {
  const check = "data folder";
  try {
    if (!existsSync(dataDir)) mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.R_OK | constants.W_OK);
    return { check, ok: true, found: dataDir };
  } catch (error) {
    return { check, ok: false, found: `${dataDir}: ${(error as Error).message}` };
  }
}

function port({ host, port: number }: Config): Promise<Finding> {
  return new Promise((resolve) => {
    const probe = createServer();
    const found = `${host}:${number}`;
    probe.once("error", (error) => resolve({ check: "port", ok: false, found: `${found}: ${error.message}` }));
    probe.listen(number, host, () =>
      probe.close(() => resolve({ check: "port", ok: true, found: `${found} is free` })),
    );
  });
}

async function models(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const id of config.models) {
    try {
      const services = await createServices({ ...config, models: [id], cacheBytes: 0 }, createLog("silent"));
      try {
        const [pack] = services.packs.list();
        findings.push({ check: id, ok: true, found: `${pack.space}, files verified` });
        await services.ready;
        for (const { modality, dtype, provider, fallbackReason } of pack.towers) {
          const start = performance.now();
          await firstInferences[modality](pack);
          const ms = (performance.now() - start).toFixed(1);
          const why = fallbackReason === undefined ? "" : ` (no GPU: ${fallbackReason})`;
          findings.push({ check: `${id} ${modality}`, ok: true, found: `${dtype} on ${provider}, ${ms} ms${why}` });
        }
      } finally {
        await services.close();
      }
    } catch (error) {
      findings.push({ check: id, ok: false, found: (error as Error).message });
    }
  }
  return findings;
}
