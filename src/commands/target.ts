import { Access } from "../access/access.js";
import { createApp } from "../app.js";
import { type Client, createClient } from "../client/client.js";
import { ApiError, ConnectionError } from "../client/errors.js";
import type { Config } from "../config.js";
import { AppError } from "../errors.js";
import { createLog, type Log } from "../log.js";
import { createServices } from "../services.js";
import { version } from "../version.js";

/**
 * Where a command sends its requests: a running server (`--url`), or the same routes in this
 * process, without a port.
 */
export interface Target extends Client {
  close(): Promise<void>;
}

/** A failure to report in one line; the exit code is 1, or 2 for `invalid_input`. */
export class CommandError extends Error {
  override name = "CommandError";
  /** One of the server's. */
  readonly code: string | undefined;

  constructor(message: string, { code }: { code?: string } = {}) {
    super(message);
    this.code = code;
  }
}

/** Whether an error's message is all the user needs: a command's own error, or a server's. */
export const isReported = (error: unknown): error is Error & { code?: string } =>
  [CommandError, ApiError, ConnectionError, AppError].some((type) => error instanceof type);

export interface TargetOptions {
  url?: string;
  apiKey?: string;
}

/** @param config  what the routes in this process run with; not used with a URL. */
export async function openTarget(config: Config, { url, apiKey }: TargetOptions): Promise<Target> {
  if (url !== undefined) return { ...clientOf(url, apiKey), close: async () => {} };
  const { models } = config;
  const isSlow = models.length > 0 && process.stderr.isTTY;
  if (isSlow) process.stderr.write(`loading ${models.join(", ")} …`);
  const services = await createServices(namingOnlyLoaded(config), commandLog()).finally(() => {
    if (isSlow) process.stderr.write("\r\x1b[K");
  });
  // Whoever can start a server on these data needs no key for them.
  const app = createApp(services, new Access({ apiKeys: [] }));
  const client = createClient({
    url: "http://localhost",
    apiKey: config.apiKeys[0],
    fetch: async (path, init) => app.request(path, init),
  });
  return { ...client, close: () => services.close() };
}

/** A command may load other models than the server whose configuration it reads, or none. */
const namingOnlyLoaded = ({ aliases, pinnedModels, ...config }: Config): Config => ({
  ...config,
  aliases: Object.fromEntries(
    Object.entries(aliases).filter(([, id]) => config.models.includes(id)),
  ),
  pinnedModels: pinnedModels.filter((id) => config.models.includes(id)),
});

function clientOf(url: string, apiKey: string | undefined): Client {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    const message = `--url: expected an address like http://127.0.0.1:8080 but received "${url}"`;
    throw new CommandError(message, { code: "invalid_input" });
  }
  try {
    const agent = { "user-agent": `crossmodal/${version}` };
    return createClient({
      url,
      apiKey,
      fetch: (to, init) => fetch(to, { ...init, headers: { ...init.headers, ...agent } }),
    });
  } catch (error) {
    throw new CommandError((error as Error).message, { code: "invalid_input" });
  }
}

/** The command itself reports failures by design; the log is for the rest. */
export function commandLog(): Log {
  const log = createLog("error");
  const nothing = () => {};
  const error = (details: { err?: unknown }, message: string) => {
    if (!(details.err instanceof AppError)) log.error(details, message);
  };
  return { debug: nothing, info: nothing, warn: nothing, error: error as Log["error"] };
}
