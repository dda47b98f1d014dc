import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { environmentNameOf } from "../src/config/option.js";
import { options } from "../src/config/options.js";

/** What a linter said; empty when it found nothing. */
function lint(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  return error !== undefined ? error.message : status === 0 ? "" : `${stdout}${stderr}`;
}
/** What the COPY lines of a stage of the Dockerfile name. */
const copied = (stage: string): string[] =>
  [...stage.matchAll(/^COPY (?:--from=\S+ )?(.*) \S+$/gm)].flatMap(([, paths]) => paths.split(" "));
const files = [
  "Dockerfile",
  "deploy/compose.yaml",
  "deploy/crossmodal.service",
  "deploy/compose-three-servers.yaml",
];

describe("files to deploy with", () => {
  it.each(files)("%s names only options that there are", (file) => {
    const variables = ["CROSSMODAL_CONFIG", ...Object.keys(options).map(environmentNameOf)];
    const named = readFileSync(file, "utf8").match(/CROSSMODAL_[A-Z_]+/g) ?? [];
    expect(named.filter((name) => !variables.includes(name))).toEqual([]);
  });

  it("give the drain more time than the server takes for it", () => {
    const seconds = (pattern: RegExp, file: string) =>
      Number(pattern.exec(readFileSync(file, "utf8"))?.[1]);
    const drain = options.shutdownTimeoutMs.default / 1000;
    expect(seconds(/stop_grace_period: (\d+)s/, files[1])).toBeGreaterThan(drain);
    expect(seconds(/TimeoutStopSec=(\d+)/, files[2])).toBeGreaterThan(drain);
  });

  it("let a service with the drop-in for a card open it", () => {
    const unit = readFileSync("deploy/crossmodal.service", "utf8");
    const dropIn = readFileSync("deploy/crossmodal-gpu.conf", "utf8");
    // Each allows some devices and so, in systemd before 253 the clock's too, refuses all others.
    const limits = /^(PrivateDevices|DevicePolicy|DeviceAllow|ProtectClock)=(?!no$)/gm;
    const limited = (unit.match(limits) ?? []).filter((line) => !dropIn.includes(`${line}no\n`));
    expect(limited).toEqual([]);
    expect(dropIn.match(limits)).toBeNull();
  });

  it("have no word in docs that only bash expands", () => {
    for (const [, block] of readFileSync("docs/operations.md", "utf8").matchAll(
      /```sh\n(.*?)```/gs,
    ))
      expect(block).not.toMatch(/\{[^}\s"]*,[^}\s"]*\}/);
  });

  it("copy into the image what the build reads, before it is read", () => {
    const ignored = readFileSync(".dockerignore", "utf8");
    const [build, image] = readFileSync("Dockerfile", "utf8")
      .split(/^FROM /m)
      .slice(1);
    for (const path of ["src", "web", "models", "fixtures", "package-lock.json"])
      expect(ignored).toContain(`!${path}\n`);
    // npm ci runs the package's own scripts
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    const before = copied(build.slice(0, build.indexOf("RUN npm ci")));
    for (const name of ["preinstall", "install", "postinstall", "prepare"]) {
      const [, file] = /^node (\S+)$/.exec(scripts[name] ?? "") ?? [];
      if (file !== undefined) expect(before).toContain(file.split("/")[0]);
    }
    for (const path of before) {
      expect(existsSync(path), path).toBe(true);
      expect(ignored).toContain(`!${path}\n`);
    }
    const made = ["node_modules", "dist"];
    for (const path of copied(image).map((name) => name.replace("/app/", "")))
      if (!made.includes(path)) expect(ignored).toContain(`!${path}\n`);
  });

  describe.skipIf(!existsSync(".venv/bin/hadolint"))(
    "pass their linters (.venv: test/clients/install.sh)",
    () => {
      it("Dockerfile, by hadolint", () => {
        expect(lint(".venv/bin/hadolint", "Dockerfile")).toBe("");
      });
      it.each(["compose", "compose-three-servers"])(
        "%s.yaml, by the schema of the Compose specification",
        (name) => {
          const schema = ["--builtin-schema", "vendor.compose-spec"];
          expect(lint(".venv/bin/check-jsonschema", ...schema, `deploy/${name}.yaml`)).toBe("");
        },
      );
    },
  );

  it.skipIf(spawnSync("systemd-analyze", ["--version"]).error !== undefined)(
    "crossmodal.service passes systemd-analyze verify (Debian: systemd)",
    () => {
      const said = lint("systemd-analyze", "verify", "deploy/crossmodal.service");
      // Node.js need not lie at /usr/bin where this is tested.
      expect(said.replace(/^.*Command \/usr\/bin\/node is not executable.*\n?/gm, "")).toBe("");
    },
  );
});
