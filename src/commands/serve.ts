import { writeSync } from "node:fs";
import type { Command } from "commander";
import { tuneAllocator } from "../allocator.js";
import { type OptionName, options } from "../config/options.js";
import { AppError } from "../errors.js";
import { createLog } from "../log.js";
import { closeOnSignals, startServer } from "../server.js";
import { addConfigFlags, configOf } from "./options.js";
import { signalsWhileStarting } from "./signals-while-starting.js";
import { CommandError } from "./target.js";

/** `crossmodal serve`: the HTTP server. */
export function serveCommand(program: Command): void {
  const command = program.command("serve").description("serve the HTTP API");
  addConfigFlags(command, Object.keys(options) as OptionName[]);
  command.action(async (flags: Record<string, unknown>) => {
    tuneAllocator();
    const config = configOf(flags);
    const log = createLog(config.logLevel);
    const leaveEarlySignals = signalsWhileStarting(log);
    const reread = () => {
      if (flags.config === undefined && process.env.CROSSMODAL_CONFIG === undefined)
        log.warn(
          "a reload applies nothing without a config file (--config): flags and environment of a " +
            "running process do not change",
        );
      return configOf(flags);
    };
    const server = await startServer(config, log, reread).catch((error) => {
      if (!(error instanceof AppError) || error.code !== "storage_locked") throw error;
      const message = error.message.replace(
        /; stop it.*/,
        "; stop it, or choose another --data-dir",
      );
      throw new CommandError(message, { code: error.code });
    });
    const reloadWanted = leaveEarlySignals();
    const leaveSignals = closeOnSignals(server, config, log);
    if (reloadWanted) process.emit("SIGHUP");
    greet(`crossmodal listens on ${server.url}

Try it:
  curl ${server.url}/v1/zero-shot -F audio=@fixtures/audio/sheep.flac \\
    -F 'candidate_labels=["sheep bleating","rain","piano"]'

`);
    try {
      await server.ready;
    } catch (error) {
      // A model that cannot run never will: it is better to exit, which a supervisor notices, than
      // to stay unready forever.
      await server.close();
      leaveSignals(); // it would exit with 0
      throw error;
    }
  });
}

/** A server serves also where stdout is a file on a full disk, or nobody reads it. */
function greet(text: string): void {
  try {
    writeSync(process.stdout.fd, text);
  } catch {
    // Nothing depends on it: the options say where the server listens.
  }
}
