import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import { serve } from "@hono/node-server";
import closeWithGrace from "close-with-grace";
import { Access } from "./access/access.js";
import { Audit } from "./access/audit.js";
import { checkAccess } from "./access/check-access.js";
import { endStalledAnswers } from "./access/end-stalled-answers.js";
import { limitConnections } from "./access/limit-connections.js";
import { OpenConnections } from "./access/open-connections.js";
import { TlsFiles } from "./access/tls-files.js";
import { closeAll } from "./close-all.js";
import { type Config, redacted } from "./config.js";
import { AppError } from "./errors.js";
import { inTurn } from "./in-turn.js";
import { lingerAfterAnswers } from "./linger.js";
import type { Log } from "./log.js";
import { portProblem } from "./port.js";
import { ReloadableApp } from "./reloadable-app.js";
import { tellAddress } from "./server-address.js";
import { openStorage } from "./services/open-storage.js";
import { createServices } from "./services.js";

export interface RunningServer {
  url: string;
  /** Stops accepting requests, lets running ones finish, then frees everything. */
  close(): Promise<void>;
  /** Resolves once every model has answered a first input; rejects with why one cannot. */
  ready: Promise<void>;
  /** Reads the configuration again: see `ReloadableApp`. */
  reload(): Promise<unknown>;
  /** Requests that are still being answered. */
  underWay(): number;
}

/**
 * Opens the port (the only file that does) and serves until a signal or `close`.
 * @param reread  reads the configuration again, for a reload.
 */
export async function startServer(
  config: Config,
  log: Log,
  reread = () => config,
): Promise<RunningServer> {
  const tls = await TlsFiles.open(config);
  // Models take seconds to load: obstacles are reported first
  const problem = config.port === 0 ? undefined : await portProblem(config);
  if (problem !== undefined) throw portError(config, problem.why);
  Audit.check(config.auditFile);
  const audit = new Audit(log);
  audit.use(config.auditFile);
  log.info({ config: redacted(config) }, "starting");
  const opening = openApp(config, { log, audit, reread });
  const { app, services } = await opening.catch(async (error) => {
    await audit.close();
    throw error;
  });
  const server = await new Promise<ReturnType<typeof serve>>((resolve, reject) => {
    // Node would end every request after five minutes; a stream of items may take hours. See
    // observeRequests. Proxies and clients reuse a connection after a minute; one that was closed
    // meanwhile is an error for them.
    const limits = {
      requestTimeout: 0,
      headersTimeout: 15_000,
      keepAliveTimeout: 75_000,
      connectionsCheckingInterval: 5000,
    };
    const { host: hostname, port } = config;
    const at = { fetch: inTurn(app.fetch, log), hostname, port };
    const listening =
      tls === undefined
        ? serve({ ...at, serverOptions: limits }, () => resolve(listening))
        : serve(
            {
              ...at,
              createServer: createSecureServer,
              serverOptions: { ...limits, handshakeTimeout: limits.headersTimeout, ...tls.pair },
            },
            () => resolve(listening),
          );
    const connections = new OpenConnections(listening as Server);
    limitConnections(listening as Server, connections, { limits: () => app.config, log });
    endStalledAnswers(listening as Server, connections, { limits: () => app.config, log });
    listening.once("error", reject);
  }).catch(async (error: NodeJS.ErrnoException) => {
    await services.close();
    if (error.code !== "EADDRINUSE" && error.code !== "EACCES") throw error;
    throw portError(config, "has since been taken by another program", error);
  });
  const stopWatching = tls?.watch((pair) => (server as SecureServer).setSecureContext(pair), log);
  lingerAfterAnswers(server as Server);
  let underWay = 0;
  server.on("request", (_: IncomingMessage, response: ServerResponse) => {
    underWay++;
    response.once("close", () => underWay--);
  });
  const { port } = server.address() as AddressInfo;
  const removeAddress = tellAddress({ ...config, port }, log);
  const host = isIP(config.host) === 6 ? `[${config.host}]` : config.host;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      stopWatching?.();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ("closeIdleConnections" in server) server.closeIdleConnections();
      await closeAll(
        () => services.stop(),
        () => closed,
        removeAddress,
        () => services.close(),
        () => audit.close(),
      );
    })();
    return closing;
  };
  const scheme = tls === undefined ? "http" : "https";
  return {
    url: `${scheme}://${host}:${port}`,
    close,
    ready: services.ready,
    reload: () => audit.during("reload", app.reload()),
    underWay: () => underWay,
  };
}

interface AppParts {
  log: Log;
  audit: Audit;
  reread: () => Config;
}

/** Access is settled before models are loaded. After a failure nothing stays open. */
async function openApp(config: Config, { log, audit, reread }: AppParts) {
  const storage = await openStorage(config, log, true);
  const access = new Access(config, storage.state.keys, audit);
  try {
    await access.refresh();
    checkAccess(config, access);
  } catch (error) {
    await storage.close();
    throw error;
  }
  const services = await createServices(config, log, { storage, audit });
  try {
    return { services, app: new ReloadableApp(services, { access, reread }) };
  } catch (error) {
    await services.close();
    throw error;
  }
}

function portError({ host, port }: Config, why: string, cause?: Error): AppError {
  const message = `Port ${port} on ${host} ${why}; choose one with --port`;
  return new AppError("conflict", message, { param: "port", cause });
}

/**
 * Closes the server on SIGINT and SIGTERM; a second signal, or a drain that takes too long, ends
 * the process at once.
 * @returns removes the handlers, for a server that ends on its own.
 */
export function closeOnSignals(server: RunningServer, config: Config, log: Log): () => void {
  const { shutdownTimeoutMs } = config;
  const onTimeout = () =>
    log.error({ requests: server.underWay(), shutdownTimeoutMs }, "drain cut short");
  const onSecondSignal = () =>
    log.error({ requests: server.underWay() }, "drain cut short by a second signal");
  // SIGHUP asks a service to reload; from a terminal that closes, it means the end.
  const skip = process.stdin.isTTY ? [] : (["SIGHUP"] as const).slice();
  const reload = () =>
    void server
      .reload()
      .catch((error) => log.error({ err: error }, "the configuration could not be reloaded"));
  if (skip.length > 0) process.on("SIGHUP", reload);
  const { uninstall } = closeWithGrace(
    { delay: shutdownTimeoutMs, logger: false, onTimeout, onSecondSignal, skip },
    async ({ signal, err }) => {
      if (err !== undefined) log.error({ err }, "uncaught error; shutting down");
      else log.info({ signal }, "shutting down");
      await server.close();
    },
  );
  return () => {
    process.off("SIGHUP", reload);
    uninstall();
  };
}
