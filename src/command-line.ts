import { Command, CommanderError } from "commander";
import { addCommand } from "./commands/add.js";
import { backupCommands } from "./commands/backup.js";
import { benchCommand } from "./commands/bench.js";
import { bridgeCommand, bridgesCommand } from "./commands/bridges.js";
import { calibrateCommands } from "./commands/calibrate.js";
import { classifyCommand } from "./commands/classify.js";
import { collectionsCommand } from "./commands/collections.js";
import { doctorCommand } from "./commands/doctor.js";
import { embedCommand } from "./commands/embed.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { exportCommand } from "./commands/export.js";
import { gapCommand } from "./commands/gap.js";
import { gpuCommand } from "./commands/gpu.js";
import { headsCommand } from "./commands/heads.js";
import { healthCommand } from "./commands/health.js";
import { importCommand } from "./commands/import.js";
import { itemsCommand } from "./commands/items.js";
import { jobsCommand } from "./commands/jobs.js";
import { keysCommand } from "./commands/keys.js";
import { mcpCommand } from "./commands/mcp.js";
import { migrateCommand } from "./commands/migrate.js";
import { modelsCommand } from "./commands/models.js";
import { OutputClosed } from "./commands/output.js";
import { searchCommand } from "./commands/search.js";
import { serveCommand } from "./commands/serve.js";
import { tagCommand } from "./commands/tag.js";
import { isReported } from "./commands/target.js";
import { trainCommand } from "./commands/train.js";
import { version } from "./version.js";

const commandGroups = {
  "Serve and ask:": [
    serveCommand,
    mcpCommand,
    classifyCommand,
    tagCommand,
    embedCommand,
    gapCommand,
  ],
  "Collections:": [
    collectionsCommand,
    addCommand,
    itemsCommand,
    searchCommand,
    exportCommand,
    importCommand,
    backupCommands,
    migrateCommand,
  ],
  "Heads and bridges:": [
    trainCommand,
    headsCommand,
    bridgeCommand,
    bridgesCommand,
    calibrateCommands,
    evaluateCommand,
  ],
  "Models and work:": [
    modelsCommand,
    jobsCommand,
    keysCommand,
    healthCommand,
    doctorCommand,
    gpuCommand,
    benchCommand,
  ],
};

const examples = `Examples:
  crossmodal classify cat.jpg --labels "cat,dog"
  crossmodal add photos DIR --recursive --create
  crossmodal search photos --text "a sleeping cat"
  crossmodal serve --port 8080

Each command has its own --help; docs/cli.md shows them all by example.`;

/**
 * The whole command line; every command adds itself. Results go to stdout, progress and errors to
 * stderr.
 */
export function createProgram(): Command {
  const program = new Command("crossmodal")
    .description("Zero-shot classification, embeddings and search over text, images and audio")
    .version(version)
    .addHelpText("after", `\n${examples}`)
    .showHelpAfterError("(run with --help for usage)")
    .exitOverride();
  for (const [group, commands] of Object.entries(commandGroups)) {
    program.commandsGroup(group);
    for (const add of commands) add(program);
  }
  return program;
}

/** @returns the exit code: 0, 1 (failed) or 2 (usage). */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv, { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (isReported(error)) {
      console.error(`crossmodal: ${error.message}`);
      return error.code === "invalid_input" ? 2 : 1;
    }
    console.error(ofFile(error) ?? error);
    return 1;
  }
}

/** A file that cannot be read or written, by its name and without a stack. */
function ofFile(error: unknown): string | undefined {
  const { syscall, path, message } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || syscall === undefined || path === undefined) return undefined;
  return `crossmodal: "${path}" cannot be used: ${message.split(",")[0]}`;
}
