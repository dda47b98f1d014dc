import { once } from "node:events";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Command } from "commander";
import { type Ask, ToolError } from "../mcp/ask.js";
import { createMcpServer } from "../mcp/server.js";
import { LocalFiles } from "../media/local-files.js";
import { addConfigFlags, configOf, modelFlags, storageFlags } from "./options.js";
import { stopOnSignal } from "./stop-on-signal.js";
import { CommandError, commandLog, isReported, openTarget } from "./target.js";

/** `crossmodal mcp`: a Model Context Protocol server on standard input and output. */
export function mcpCommand(program: Command): void {
  const command = program
    .command("mcp")
    .description("serve the Model Context Protocol to a host, on standard input and output")
    .option("--allow-dir <folder...>", "folders whose pictures and sounds tools may read")
    .option("--url <url>", "ask the running server there, e.g. http://127.0.0.1:8080")
    .option("--api-key <key>", "key for that server");
  addConfigFlags(command, [...storageFlags, ...modelFlags, "urlHosts", "maxBodyBytes"]);
  command.action(async (flags) => {
    const config = configOf(flags);
    const files =
      flags.allowDir === undefined
        ? undefined
        : await LocalFiles.open(flags.allowDir, config.maxBodyBytes).catch((error: Error) => {
            throw new CommandError(error.message, { code: "invalid_input" });
          });
    // The handshake is answered while the models load
    const opening = openTarget(config, flags);
    const ask: Ask = async (path, init) => (await opening).send(path, init).catch(toolError);
    const stop = stopOnSignal("stopping");
    const transport = new StdioServerTransport(process.stdin, process.stdout, {
      maxBufferSize: config.maxBodyBytes,
    });
    const handle = serveStdio(
      () => createMcpServer({ ask, log: commandLog(), files, base: flags.url }),
      {
        transport,
      },
    );
    try {
      const target = await opening;
      const { signal } = stop;
      if (!process.stdin.readableEnded && !process.stdin.destroyed)
        await once(process.stdin, "close", { signal }).catch(() => undefined);
      await handle.close();
      await target.close();
    } finally {
      stop.release();
      process.stdin.destroy();
    }
  });
}

function toolError(error: unknown): never {
  throw isReported(error) ? new ToolError(error.message, error.code) : error;
}
