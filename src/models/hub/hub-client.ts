import { EnvHttpProxyAgent, request } from "undici";
import { AppError } from "../../errors.js";
import type { HubSettings } from "./hub-settings.js";
import { HubTrouble, type RetryOptions } from "./retry.js";

type Headers = Record<string, string | string[] | undefined>;

export interface HubAnswer {
  /** 200 or 206. */
  status: number;
  headers: Headers;
  /** Headers of the hub's answer, if it redirected to another host. */
  hubHeaders: Headers;
  body: AsyncIterable<Buffer> & { destroy(): void };
}

export interface HubClientOptions extends RetryOptions {
  /** A connection that delivers nothing for this long counts as broken. */
  silenceMs?: number;
}

const maxRedirects = 5;

/**
 * Talks to a hub: proxy, token, redirects, and errors that say what to do.
 */
export class HubClient {
  readonly settings: HubSettings;
  readonly retry: RetryOptions;
  readonly #agent: EnvHttpProxyAgent;

  constructor(settings: HubSettings, { silenceMs = 60_000, ...retry }: HubClientOptions = {}) {
    this.settings = settings;
    this.retry = retry;
    const { httpProxy = "", httpsProxy = "", noProxy = "" } = settings;
    const timeouts = {
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      connect: { timeout: 20_000 },
    };
    this.#agent = new EnvHttpProxyAgent({ httpProxy, httpsProxy, noProxy, ...timeouts });
  }

  /**
   * GET of a path of the hub. The token is sent to the hub itself only: files are on other hosts
   * under signed URLs.
   *
   * @throws HubTrouble when a retry may help; otherwise AppError `hub_failed` or `model_not_found`.
   */
  async get(
    path: string,
    options: { headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<HubAnswer> {
    const { endpoint, token } = this.settings;
    const home = new URL(endpoint);
    let url = new URL(endpoint + path);
    let hubHeaders: Headers | undefined;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const headers: Record<string, string> = { "user-agent": "crossmodal", ...options.headers };
      if (token !== undefined && url.origin === home.origin)
        headers.authorization = `Bearer ${token}`;
      const answer = await request(url, {
        dispatcher: this.#agent,
        headers,
        signal: options.signal,
      }).catch((error) => {
        options.signal?.throwIfAborted();
        if (/CERT|UNABLE_TO_VERIFY|ERR_TLS/.test(reasonOf(error))) {
          const advice =
            "if it is signed by your own authority, set its certificate in " +
            "NODE_EXTRA_CA_CERTS";
          throw new AppError(
            "hub_failed",
            `${shown(url)} has no trusted certificate (${reasonOf(error)}); ${advice}`,
            {
              cause: error,
            },
          );
        }
        const by = url.protocol === "https:" ? this.settings.httpsProxy : this.settings.httpProxy;
        const proxy = by === undefined ? "" : "; a proxy is set";
        throw new HubTrouble(`${shown(url)} cannot be reached (${reasonOf(error)}${proxy})`, {
          cause: error,
        });
      });
      const { statusCode: status, body } = answer;
      // An error of a partly read answer must not end the process.
      body.on("error", () => undefined);
      hubHeaders ??= answer.headers;
      if (status === 200 || status === 206)
        return { status, headers: answer.headers, hubHeaders, body };
      const { location } = answer.headers;
      body.destroy();
      if (status >= 300 && status < 400 && typeof location === "string") {
        const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
        const safe =
          next?.protocol === "https:" || (next?.protocol === "http:" && home.protocol === "http:");
        if (next === undefined || !safe)
          throw new AppError("hub_failed", `${shown(url)} redirects to a URL that is not https`);
        url = next;
        continue;
      }
      throw this.#refusal(url, status, answer.headers);
    }
    throw new AppError("hub_failed", `${shown(url)} redirects more than ${maxRedirects} times`);
  }

  close(): Promise<void> {
    return this.#agent.destroy(null);
  }

  #refusal(url: URL, status: number, headers: Headers): Error {
    const where = `${shown(url)} answered ${status}`;
    const code = headers["x-error-code"];
    if (status === 429 || status === 408 || status >= 500) {
      return new HubTrouble(where, { retryAfterMs: retryAfterMs(headers["retry-after"]) });
    }
    if (code === "GatedRepo" || status === 403) {
      const advice =
        this.settings.token === undefined
          ? "set HF_TOKEN to a token of an account that has accepted the model's terms"
          : "the account of HF_TOKEN must accept the model's terms on its page first, or the " +
            "token may not read it";
      return new AppError("hub_failed", `${where}: access to this model is restricted; ${advice}`);
    }
    if (status === 401) {
      const advice =
        this.settings.token === undefined
          ? "there is no such model, or it is private: check the name, or set HF_TOKEN to a " +
            "token that may read it"
          : "there is no such model, or HF_TOKEN is not valid or may not read it";
      return new AppError("hub_failed", `${where}: ${advice}`);
    }
    if (status === 404) {
      const missing =
        code === "RevisionNotFound"
          ? "revision"
          : code === "EntryNotFound"
            ? "file"
            : "model or revision";
      return new AppError("model_not_found", `${where}: there is no such ${missing} on the hub`, {
        param: "id",
      });
    }
    if (status === 416) return new HubTrouble(where);
    return new AppError("hub_failed", where);
  }
}

/** A URL without its query: signed URLs carry their secret there. */
const shown = (url: URL) => `${url.origin}${url.pathname}`;

/** `ECONNRESET`, or another name of a failed connection. */
export function reasonOf(error: unknown): string {
  const { code, message, cause } = error as {
    code?: string;
    message?: string;
    cause?: { code?: string };
  };
  return code ?? cause?.code ?? message ?? String(error);
}

/** Seconds or a date -> milliseconds from now. */
function retryAfterMs(value: string | string[] | undefined): number | undefined {
  if (typeof value !== "string") return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
