import { lookup as resolveName } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import ipaddr from "ipaddr.js";
import { Agent, request } from "undici";
import { AppError } from "../errors.js";
import { traceOutgoing } from "../tracing/trace-context.js";
import type { FetchMedia } from "./read-media.js";

const maxRedirects = 3;

export interface FetchMediaOptions {
  /**
   * Allowed hosts; `*` is any public one; none refuses every URL. Addresses and ranges
   * (`10.0.0.0/8`) that are listed may be requested even if they are not public, also by host name.
   */
  hosts: readonly string[];
  maxBytes: number;
  timeoutMs: number;
  /** For tests: what counts as a public address. */
  isAllowedAddress?: (address: string) => boolean;
}

/**
 * Fetches pictures and sounds by URL, treating every URL as hostile: only configured hosts, only
 * public addresses (checked when connecting, so that a name cannot resolve differently between
 * check and use), every redirect checked again, size and time bounded.
 */
export function mediaFetcher({
  hosts,
  maxBytes,
  timeoutMs,
  isAllowedAddress: isPublic = isPublicAddress,
}: FetchMediaOptions): FetchMedia {
  const isNamed = addressTest(hosts);
  const isAllowedAddress = (address: string) => isPublic(address) || isNamed(address);
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const refused = addresses.find(({ address }) => !isAllowedAddress(address));
      if (refused !== undefined) return callback(refusedAddress(hostname), []);
      if (options.all === true) callback(null, addresses);
      else callback(null, addresses[0].address, addresses[0].family);
    });
  };
  const agent = new Agent({
    connect: { lookup, timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });

  const check = (url: URL) => {
    const hostname = url.hostname.replace(/^\[|\]$/g, "");
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new AppError(
        "url_refused",
        `Only http and https URLs are fetched, not ${url.protocol}`,
      );
    }
    const isNamedHost = hosts.includes("*") || hosts.includes(url.host) || hosts.includes(hostname);
    if (!isNamedHost && !isNamed(hostname)) {
      const advice = hosts.length === 0 ? "URLs are off" : `allowed are ${hosts.join(", ")}`;
      throw new AppError(
        "url_refused",
        `Media is not fetched from "${url.host}": ${advice} (option urlHosts)`,
      );
    }
    // The lookup hook is not called for literal addresses.
    if (isIP(hostname) !== 0 && !isAllowedAddress(hostname) && !hosts.includes(url.host))
      throw refusedAddress(hostname);
  };

  return async (text, signal) => {
    if (!URL.canParse(text))
      throw new AppError("invalid_input", `"${text.slice(0, 80)}" is not a URL`);
    let url = new URL(text);
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      for (let hop = 0; hop <= maxRedirects; hop++) {
        check(url);
        const traced = traceOutgoing("GET", url.host);
        const answer = await request(url, {
          dispatcher: agent,
          signal: deadline,
          headers: traced.headers,
        }).catch((error) => {
          traced.end();
          throw error;
        });
        const { statusCode, headers, body } = answer;
        traced.end(statusCode);
        if (statusCode >= 300 && statusCode < 400 && typeof headers.location === "string") {
          discard(body);
          url = new URL(headers.location, url);
          continue;
        }
        if (statusCode !== 200) {
          discard(body);
          throw new AppError(
            "fetch_failed",
            `"${url.host}" answered ${statusCode} instead of the file`,
          );
        }
        return await readBounded(body, maxBytes, url);
      }
    } catch (error) {
      if (error instanceof AppError) throw error;
      signal.throwIfAborted();
      if ((error as { cause?: unknown }).cause instanceof AppError)
        throw (error as { cause: AppError }).cause;
      const reason = deadline.aborted
        ? `did not answer within ${timeoutMs} ms`
        : "could not be reached";
      throw new AppError("fetch_failed", `"${url.host}" ${reason}`, { cause: error });
    }
    throw new AppError("fetch_failed", `"${url.host}" redirects more than ${maxRedirects} times`);
  };
}

/** Discards an unread answer; undici reports that as an error of the stream. */
function discard(body: Readable): void {
  body.on("error", () => undefined);
  body.destroy();
}

async function readBounded(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  url: URL,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new AppError("too_large", `The file at "${url.host}" is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const refusedAddress = (hostname: string) =>
  new AppError(
    "url_refused",
    `"${hostname}" is not a public address; to fetch from it anyway, its address or range ` +
      "must be in the option urlHosts too",
  );

/** Whether an address is listed among the hosts, by itself or in a range. */
function addressTest(hosts: readonly string[]): (address: string) => boolean {
  const ranges = hosts.flatMap((host) => {
    const text = host.replace(/^\[|\]$/g, "");
    if (ipaddr.isValidCIDR(text)) return [ipaddr.parseCIDR(text)];
    if (!ipaddr.isValid(text) || isIP(text) === 0) return [];
    const address = ipaddr.process(text);
    return [[address, address.kind() === "ipv4" ? 32 : 128] as ReturnType<typeof ipaddr.parseCIDR>];
  });
  return (text) => {
    if (isIP(text) === 0) return false;
    const address = ipaddr.process(text);
    return ranges.some(([network, bits]) => {
      return network.kind() === address.kind() && address.match(network, bits);
    });
  };
}

/**
 * IPv6 addresses of internet hosts; others, such as `::7f00:1`, an old spelling of 127.0.0.1, are
 * not.
 */
const globalIpv6 = ipaddr.IPv6.parseCIDR("2000::/3");

/** Public unicast only; IPv4 inside IPv6 is judged as IPv4. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return (
    address.range() === "unicast" && (address instanceof ipaddr.IPv4 || address.match(globalIpv6))
  );
}
