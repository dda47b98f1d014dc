import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultDataDir } from "../src/config/data-folder.js";
import { environmentNameOf } from "../src/config/option.js";
import { options } from "../src/config/options.js";
import { loadConfig, redacted } from "../src/config.js";

const file = (content: string) => {
  const path = join(mkdtempSync(join(tmpdir(), "crossmodal-config-")), "config.json");
  writeFileSync(path, content);
  return path;
};

describe("loadConfig", () => {
  it("takes a flag over the environment over the file over the default", () => {
    const environment = { CROSSMODAL_PORT: "2", CROSSMODAL_HOST: "::1" };
    const config = loadConfig({
      flags: { port: "1" },
      environment,
      file: file('{"port": 3, "host": "0.0.0.0", "maxBatch": 4}'),
    });
    expect(config).toMatchObject({ port: 1, host: "::1", maxBatch: 4, maxQueued: 512 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each([
    [{ environment: { CROSSMODAL_PROT: "1" } }, 'did you mean "CROSSMODAL_PORT"?'],
    [{ environment: {}, file: file('{"dataDri": "x"}') }, 'did you mean "dataDir"?'],
    [{ environment: { CROSSMODAL_PORT: "high" } }, "CROSSMODAL_PORT"],
    [{ environment: {}, flags: { port: "70000" } }, "--port"],
    [{ environment: {}, flags: { models: "a,b,a" } }, "each model once"],
    [{ environment: {}, flags: { trustedProxies: "proxy" } }, "addresses or ranges"],
    [{ environment: {}, flags: { corsOrigins: "https://a.example/" } }, "https://app.example"],
    [{ environment: {}, flags: { corsOrigins: "https://A.example" } }, "https://app.example"],
    [{ environment: {}, flags: { trustedHosts: "crossmodal:8080" } }, "without a port"],
    [{ environment: {}, flags: { device: "gpu" } }, "auto, cpu, webgpu, cuda"],
    [{ environment: {}, file: file("[]") }, "one JSON object"],
    [{ environment: {}, file: "nowhere.json" }, "cannot be read"],
  ])("refuses %j and says what to do", (sources, message) => {
    expect(() => loadConfig(sources)).toThrow(message);
  });

  it.each([
    ["trustedProxies", "10.0.0.0/8,::1,2001:db8::/32,192.168.1.7"],
    ["corsOrigins", "*,null,https://app.example,http://[::1]:5173,chrome-extension://abcdef"],
    ["trustedHosts", "crossmodal,my_service.lan,[fd00::7]"],
  ] as const)("takes for %s %s", (name, text) => {
    expect(loadConfig({ environment: {}, flags: { [name]: text } })[name]).toEqual(text.split(","));
  });

  it("keeps data where the system's programs keep theirs, unless told otherwise", () => {
    const at = (platform: NodeJS.Platform, environment: NodeJS.ProcessEnv, home: string) =>
      defaultDataDir(environment, { platform, home });
    expect(at("linux", {}, "/home/ada")).toBe("/home/ada/.local/share/crossmodal");
    expect(at("linux", { XDG_DATA_HOME: "/data" }, "/home/ada")).toBe("/data/crossmodal");
    expect(at("linux", { XDG_DATA_HOME: "data" }, "/home/ada")).toBe(at("linux", {}, "/home/ada"));
    expect(at("darwin", {}, "/Users/ada")).toBe(
      "/Users/ada/Library/Application Support/crossmodal",
    );
    expect(at("win32", { LOCALAPPDATA: "D:\\local" }, "C:\\ada")).toBe("D:\\local\\crossmodal");
    expect(at("win32", {}, "C:\\ada")).toBe("C:\\ada\\AppData\\Local\\crossmodal");
    const environment = { XDG_DATA_HOME: "/data" };
    if (process.platform === "linux")
      expect(loadConfig({ environment }).dataDir).toBe("/data/crossmodal");
    expect(loadConfig({ environment, flags: { dataDir: "data" } }).dataDir).toBe("data");
  });

  it("passes over what Kubernetes and Docker tell of Services, and nothing else", () => {
    const links = {
      CROSSMODAL_SERVICE_HOST: "10.0.0.7",
      CROSSMODAL_SERVICE_PORT: "8080",
      CROSSMODAL_SERVICE_PORT_HTTP: "8080",
      CROSSMODAL_PORT: "tcp://10.0.0.7:8080",
      CROSSMODAL_PORT_8080_TCP: "tcp://10.0.0.7:8080",
      CROSSMODAL_PORT_8080_TCP_PROTO: "tcp",
      CROSSMODAL_PORT_8080_TCP_PORT: "8080",
      CROSSMODAL_PORT_8080_TCP_ADDR: "10.0.0.7",
      CROSSMODAL_GPU_SERVICE_HOST: "10.0.0.8",
      CROSSMODAL_GPU_PORT: "udp://10.0.0.8:53",
    };
    expect(loadConfig({ environment: { ...links, CROSSMODAL_HOST: "::1" } })).toMatchObject({
      port: 8080,
      host: "::1",
    });
    for (const name of ["CROSSMODAL_SERVICE_HOSTS", "CROSSMODAL_PORTS", "CROSSMODAL_GPU_PORT"]) {
      expect(() => loadConfig({ environment: { [name]: "8080" } })).toThrow(name);
    }
  });

  it("takes no key that a header cannot carry, or that is short", () => {
    for (const key of ["schlüssel-1", "with a space", "1234567", "秘密秘密秘密秘密"])
      expect(() => loadConfig({ environment: { CROSSMODAL_API_KEYS: key } }), key).toThrow(
        "CROSSMODAL_API_KEYS",
      );
  });

  it("says what came, but of keys only that one is short", () => {
    const load = (name: string, value: string) => () =>
      loadConfig({ environment: { [name]: value } });
    expect(load("CROSSMODAL_PORT", "abc")).toThrow(
      'CROSSMODAL_PORT: expected a number, received "abc"',
    );
    expect(load("CROSSMODAL_API_KEYS", "a-long-one,short")).toThrow(
      /^CROSSMODAL_API_KEYS: expected at least 8 characters$/,
    );
    expect(load("CROSSMODAL_URL", "http://127.0.0.1:8080")).not.toThrow();
    expect(load("CROSSMODAL_API_KEY", "x")).not.toThrow();
  });

  it.each(Object.keys(options))("shows no login or query of an address in %s", (name) => {
    for (const address of [
      "http://ada:hunter2@host:1/x?hunter2",
      "http://hunter2@host",
      "https://ada:hunter2/hunter2@host/x#hunter2",
      "postgres://ada:hunter2@one:5432/db?hunter2",
      "postgres://ada:hunter2/hunter2@hunter2@host/db",
    ]) {
      let shown: string;
      try {
        const environment = { [environmentNameOf(name)]: address };
        shown = JSON.stringify(redacted(loadConfig({ environment })));
      } catch (error) {
        shown = (error as Error).message;
        // What no address can be is a number or one of a few words
        if (/number|one of|Expected (auto|name=)/i.test(shown)) continue;
      }
      expect(shown, address).not.toContain("hunter2");
    }
  });

  it("still shows where an address leads", () => {
    const environment = {
      CROSSMODAL_STORE: "postgres://ada:hunter2@one:1,two:2/db?password=hunter2",
      CROSSMODAL_IMMICH_UPSTREAM: "http://ada:hunter2@immich:3003/",
    };
    expect(redacted(loadConfig({ environment }))).toMatchObject({
      store: "postgres://ada@one:1,two:2/db?…",
      immichUpstream: "http://immich:3003/",
    });
  });

  it("shows no key", () => {
    const config = loadConfig({ environment: { CROSSMODAL_API_KEYS: "secret-one,secret-two" } });
    expect(config.apiKeys).toEqual(["secret-one", "secret-two"]);
    const { dataDir } = config; // where data lie is logged at every start
    expect(redacted(config)).toEqual({ apiKeys: "(2 set)", dataDir });
  });
});
