import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hubSettings } from "../../../src/models/hub/hub-settings.js";

describe("hubSettings", () => {
  it("is the public hub and the usual cache when nothing is set", () => {
    expect(hubSettings({})).toEqual({
      endpoint: "https://huggingface.co",
      cacheDir: join(homedir(), ".cache/huggingface/hub"),
      offline: false,
    });
  });

  it.each([
    [{ HF_HOME: "/a" }, "/a/hub"],
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ HF_HOME: "/a", HF_HUB_CACHE: "/b" }, "/b"],
    [{ HF_HOME: "/a", HUGGINGFACE_HUB_CACHE: "/c" }, "/c"],
    [{ HF_HOME: "" }, join(homedir(), ".cache/huggingface/hub")],
  ])("finds the cache by %j", (environment, expected) => {
    expect(hubSettings(environment).cacheDir).toBe(expected);
  });

  it("takes endpoint, token and proxies", () => {
    const environment = {
      HF_ENDPOINT: "https://mirror.example/",
      HF_TOKEN: " hf_x ",
      HTTPS_PROXY: "http://p:1",
      no_proxy: "a,b",
    };
    expect(hubSettings(environment)).toMatchObject({
      endpoint: "https://mirror.example",
      token: "hf_x",
      httpsProxy: "http://p:1",
      noProxy: "a,b",
    });
  });

  it("takes a proxy without a scheme for an HTTP one, and no other kind", () => {
    expect(hubSettings({ http_proxy: "proxy.example:3128" }).httpProxy).toBe(
      "http://proxy.example:3128",
    );
    expect(() => hubSettings({ HTTPS_PROXY: "socks5://me:secret@proxy.example" })).toThrow(
      /^HTTPS_PROXY: Expected the URL of an http\(s\) proxy$/,
    );
  });

  it.each([
    "http://user:password@hub.example",
    "huggingface.co",
    "ftp://hub.example",
    "file:///models",
  ])("refuses the endpoint %s", (endpoint) => {
    expect(() => hubSettings({ HF_ENDPOINT: endpoint })).toThrow(/HF_ENDPOINT: Expected/);
  });
});
