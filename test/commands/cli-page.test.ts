import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../src/command-line.js";
import { flagOf } from "../../src/config/option.js";
import { options } from "../../src/config/options.js";

const page = readFileSync("docs/cli.md", "utf8");
const [introduction, ...parts] = page.split(/^## /m);
const sections = new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part]));
const flagsIn = (text: string) => new Set(text.match(/--[a-z][a-z0-9-]*/g) ?? []);
/** Options of the configuration have a page of their own. */
const configFlags = new Set(Object.keys(options).map(flagOf));

const flagsOf = (command: Command): string[] => [
  ...command.options.map(({ long }) => long as string),
  ...command.commands.flatMap(flagsOf),
];

describe("docs/cli.md", () => {
  const { commands } = createProgram();

  it("has a section for every command and no other", () => {
    expect([...sections.keys()].sort()).toEqual(commands.map((command) => command.name()).sort());
  });

  it.each(commands.map((command) => [command.name(), command] as const))(
    "shows all of %s",
    (name, command) => {
      const section = sections.get(name) ?? "";
      for (const sub of command.commands)
        expect(section).toContain(`crossmodal ${name} ${sub.name()}`);
      const shown = flagsIn(introduction + section);
      expect(flagsOf(command).filter((flag) => !shown.has(flag) && !configFlags.has(flag))).toEqual(
        [],
      );
      const known = new Set([...commands.flatMap(flagsOf), ...configFlags, "--help"]);
      expect([...flagsIn(introduction + section)].filter((flag) => !known.has(flag))).toEqual([]);
    },
  );
});
