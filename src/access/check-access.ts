import type { Config } from "../config.js";
import { AppError, invalidInput } from "../errors.js";
import type { Access } from "./access.js";

type Options = Pick<Config, "host" | "trustedHosts" | "corsOrigins">;

/**
 * Before a configuration is used, at the start or in a reload.
 * @throws AppError `invalid_input` where others than this machine's programs would reach a server
 *   without keys.
 */
export function checkAccess(options: Options, access: Pick<Access, "needsKey">): void {
  const { host, trustedHosts } = options;
  checkOrigins(options, access);
  const isOpen = !access.needsKey && trustedHosts.length === 0;
  if (!isOpen || isLoopback(host)) return;
  const message =
    `Refusing to listen on ${host} without API keys: make one with \`crossmodal keys ` +
    "create`, or listen on 127.0.0.1";
  throw new AppError("invalid_input", message, { param: "host" });
}

/** @throws AppError `invalid_input` for * without keys. */
export function checkOrigins(
  { corsOrigins }: Pick<Config, "corsOrigins">,
  access: Pick<Access, "needsKey">,
): void {
  if (!corsOrigins.includes("*") || access.needsKey) return;
  const message = "Expected API keys beside corsOrigins *: any web page could use this server";
  throw invalidInput("corsOrigins", message);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
