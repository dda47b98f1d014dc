import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";
import { isIP } from "node:net";

/** Where a server is, by its configuration. */
export interface ServerPlace {
  host: string;
  port: number;
  /** It serves HTTPS unless this is empty. */
  tlsCert: string;
}

const maxMs = 5000;
/** Of an answer; a probe's is shorter. */
const maxCharacters = 100_000;

/** The address under which this machine reaches a server: a wildcard one is asked on loopback. */
export function localUrl({ host, port, tlsCert }: ServerPlace): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const scheme = tlsCert === "" ? "http" : "https";
  return `${scheme}://${isIP(reached) === 6 ? `[${reached}]` : reached}:${port}`;
}

/**
 * What a probe of the server of this machine answers. Its certificate is for the name that others
 * use, so it is not checked.
 * @param url  as `localUrl` gives it.
 * @throws Error when nothing answers within 5 s.
 */
export function askHealth(
  url: string,
  path: "/health/live" | "/health/ready",
): Promise<{ status: number; text: string }> {
  const get = url.startsWith("https:") ? getSecure : getPlain;
  const options = { rejectUnauthorized: false, agent: false as const };
  return new Promise((resolve, reject) => {
    const request = get(`${url}${path}`, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
        if (text.length > maxCharacters) response.destroy(new Error("its answer does not end"));
      });
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    const timer = setTimeout(() => {
      request.destroy(new Error(`no answer within ${maxMs / 1000} s`));
    }, maxMs);
    request.once("close", () => clearTimeout(timer));
    request.once("error", reject);
  });
}
