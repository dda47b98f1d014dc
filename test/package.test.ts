import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface Locked {
  dev?: boolean;
  optional?: boolean;
  engines?: { node?: string };
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  packages: Record<string, Locked>;
};
const leastOf = (range: string | undefined) => /^>= ?([\d.]+)$/.exec(range ?? "")?.[1];

describe("package.json", () => {
  const least = leastOf(JSON.parse(readFileSync("package.json", "utf8")).engines.node)!;
  const dependencies = Object.entries(packages).flatMap(([path, { dev, optional, engines }]) => {
    const needed = leastOf(engines?.node);
    return path === "" || dev || optional || needed === undefined ? [] : [{ path, needed }];
  });

  it.each(dependencies)("asks for no older Node.js than $path ($needed)", ({ needed }) => {
    expect(least.localeCompare(needed, "en", { numeric: true })).toBeGreaterThanOrEqual(0);
  });

  it("asks for the Node.js that README.md names", () => {
    expect(/Node\.js ([\d.]+) or newer/.exec(readFileSync("README.md", "utf8"))?.[1]).toBe(least);
  });
});
