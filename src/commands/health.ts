import { Command } from "commander";
import { askHealth, localUrl } from "../ask-health.js";
import type { Config } from "../config.js";
import { AppError } from "../errors.js";
import { addressIn } from "../server-address.js";
import { addConfigFlags, configOf } from "./options.js";

/**
 * `crossmodal health`: whether the server of this machine answers; exits with 0 or 1, since Docker
 * reserves 2. A container asks it every few seconds: nothing is imported here that takes long.
 */
export function healthCommand(program: Command): void {
  const command = program
    .command("health")
    .description("whether the server of the data folder, or of the configuration, answers")
    .option("--ready", "whether it is ready for requests, too");
  addConfigFlags(command, ["dataDir", ...placeFlags]).action(async (flags) => {
    process.exitCode = 1;
    const path = flags.ready ? "/health/ready" : "/health/live";
    const at = urlOf(flags);
    if (at instanceof AppError) return console.error(`crossmodal: ${at.message}`);
    const url = `${at}${path}`;
    try {
      const { status, text } = await askHealth(at, path);
      if (status !== 200)
        return console.error(`crossmodal: ${url} answers ${status} ${text.slice(0, 500)}`);
      console.log(`${url} answers ${text}`);
      process.exitCode = 0;
    } catch (error) {
      console.error(`crossmodal: ${url} does not answer: ${(error as Error).message}`);
    }
  });
}

const placeFlags = ["host", "port", "tlsCert"] as const;

/**
 * By flags, else as the server itself wrote, else by the configuration, which may have changed
 * since the server started, or be wrong.
 */
function urlOf(flags: Record<string, unknown>): string | AppError {
  const isNamed = placeFlags.some((name) => flags[name] !== undefined);
  const told = (dataDir: string) => (isNamed ? undefined : addressIn(dataDir));
  let config: Config;
  try {
    config = configOf(flags, { usesFolder: false });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // Not the default folder: that may be another server's
    const dataDir = flags.dataDir ?? process.env.CROSSMODAL_DATA_DIR;
    return (typeof dataDir === "string" ? told(dataDir) : undefined) ?? error;
  }
  return told(config.dataDir) ?? localUrl(config);
}

/** As the command line would, without loading the other commands. */
export async function runHealth(argv: readonly string[]): Promise<void> {
  const program = new Command("crossmodal").showHelpAfterError("(run with --help for usage)");
  healthCommand(program);
  for (const command of [program, ...program.commands])
    command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 1));
  await program.parseAsync(argv);
}
