#!/usr/bin/env node
import { isatty } from "node:tty";

// Loading the command line takes a second.
const [name] = process.argv.slice(2);
// A reload that is asked for meanwhile must not end the server.
if (name === "serve" && !isatty(0)) process.on("SIGHUP", () => undefined);
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that stops early, as head does, is not a failure: see output.ts
  if (error.code !== "EPIPE") throw error;
});
// Containers ask for it every few seconds.
if (name === "health") {
  const { runHealth } = await import("./commands/health.js");
  await runHealth(process.argv);
} else {
  const { main } = await import("./command-line.js");
  process.exitCode = await main(process.argv.slice(2));
}
