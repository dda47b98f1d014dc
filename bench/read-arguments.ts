import { readFileSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";

/**
 * Arguments of a script here. `--help` ends with its usage and 0; what `config` does not allow,
 * with the usage and 2.
 */
export function readArguments<T extends ParseArgsConfig>(
  script: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  if (process.argv.includes("--help")) {
    console.log(usageOf(script));
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    return wrongUsage(script, (error as Error).message);
  }
}

export function wrongUsage(script: string, message?: string): never {
  console.error(message === undefined ? usageOf(script) : `${message}\n${usageOf(script)}`);
  process.exit(2);
}

/**
 * The lines of the comment at the head of a script (its `import.meta.url`) that say how it is
 * called.
 */
function usageOf(script: string): string {
  const calls = /^(?: \*|\/\/) +(?:npm run|npx tsx) .*(?:\n(?: \*|\/\/) +\[.*)*/gm;
  const lines = (readFileSync(new URL(script), "utf8").match(calls) ?? [])
    .join("\n")
    .replace(/^(?: \*|\/\/) */gm, "");
  return `usage: ${lines.replaceAll("\n", "\n       ")}`;
}
