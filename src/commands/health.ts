import { Command } from "commander";
import { askHealth, localUrl } from "../ask-health.js";
import { AppError } from "../errors.js";
import { addConfigFlags, configOf } from "./options.js";

/**
 * `crossmodal health`: whether the server of this machine answers, by the same configuration; exits
 * with 0 or 1. A container asks it every few seconds: nothing is imported here that takes long.
 */
export function healthCommand(program: Command): void {
  const command = program
    .command("health")
    .description("whether the server that the configuration describes answers")
    .option("--ready", "whether it is ready for requests, too");
  addConfigFlags(command, ["host", "port", "tlsCert"]).action(async (flags) => {
    const config = configOf(flags, { usesFolder: false });
    const url = `${localUrl(config)}/health/${flags.ready ? "ready" : "live"}`;
    try {
      const { status, text } = await askHealth(
        config,
        flags.ready ? "/health/ready" : "/health/live",
      );
      if (status === 200) return console.log(`${url} answers ${text}`);
      console.error(`crossmodal: ${url} answers ${status} ${text.slice(0, 500)}`);
    } catch (error) {
      console.error(`crossmodal: ${url} does not answer: ${(error as Error).message}`);
    }
    process.exitCode = 1;
  });
}

/** As the command line would, without loading the other commands. */
export async function runHealth(argv: readonly string[]): Promise<void> {
  const program = new Command("crossmodal").showHelpAfterError("(run with --help for usage)");
  healthCommand(program);
  for (const command of [program, ...program.commands])
    command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.error(`crossmodal: ${error.message}`);
    process.exitCode = 2;
  }
}
