import { homedir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../errors.js";

/** Where models are fetched from and how it is reached. */
export interface HubSettings {
  /** Origin (and path) of the hub, without a slash at the end. */
  endpoint: string;
  /** Secret: sent to the hub itself only. */
  token?: string;
  /** The hub's own cache on this machine, which other programs fill: read, never written. */
  cacheDir: string;
  /** Do not use the network, only the cache. */
  offline: boolean;
  httpProxy?: string;
  httpsProxy?: string;
  noProxy?: string;
}

/**
 * The existing settings of a hub user: these variables are the hub's and the system's, so they keep
 * their names. Source: huggingface_hub, "Environment variables".
 *
 * @throws AppError `invalid_input` when HF_ENDPOINT or a proxy is not an http(s) URL.
 */
export function hubSettings(environment: NodeJS.ProcessEnv): HubSettings {
  const set = (...names: string[]) =>
    names
      .map((name) => environment[name]?.trim())
      .find((value) => value !== undefined && value !== "");
  const endpoint = (set("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, "");
  if (!/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : "")) {
    const message =
      "HF_ENDPOINT: Expected the http(s) URL of a hub, such as https://huggingface.co";
    throw new AppError("invalid_input", message, { param: "HF_ENDPOINT" });
  }
  if (new URL(endpoint).username !== "") {
    const message = "HF_ENDPOINT: Expected a URL without user and password; use HF_TOKEN";
    throw new AppError("invalid_input", message, { param: "HF_ENDPOINT" });
  }
  const home =
    set("HF_HOME") ?? join(set("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface");
  return {
    endpoint,
    token: set("HF_TOKEN"),
    cacheDir: set("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? join(home, "hub"),
    offline: /^(1|on|yes|true)$/i.test(set("HF_HUB_OFFLINE") ?? ""),
    httpProxy: proxyUrl("HTTP_PROXY", set("http_proxy", "HTTP_PROXY")),
    httpsProxy: proxyUrl("HTTPS_PROXY", set("https_proxy", "HTTPS_PROXY")),
    noProxy: set("no_proxy", "NO_PROXY"),
  };
}

/**
 * `proxy.example:3128` is an HTTP proxy, as for curl. A message must not repeat the value: it may
 * hold a password.
 */
function proxyUrl(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const url = value.includes("://") ? value : `http://${value}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new AppError("invalid_input", `${name}: Expected the URL of an http(s) proxy`, {
    param: name,
  });
}
