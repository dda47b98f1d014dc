import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { Access } from "./access/access.js";
import { MediaAddresses } from "./access/media-addresses.js";
import { gapSides } from "./collections/gap-sides.js";
import { AppError } from "./errors.js";
import { openApiDocument } from "./openapi/document.js";
import { aboutRoutes } from "./routes/about.js";
import { accessRoute } from "./routes/access.js";
import { addItemsRoute } from "./routes/add-items.js";
import { adminRoutes } from "./routes/admin.js";
import { aliasesRoutes } from "./routes/aliases.js";
import { auditChanges } from "./routes/audit-changes.js";
import { bridgesRoutes } from "./routes/bridges.js";
import { calibrationsRoutes } from "./routes/calibrations.js";
import { classifyCollectionRoute } from "./routes/classify-collection.js";
import { collectionsRoutes } from "./routes/collections.js";
import { clientPath } from "./routes/compat/client-path.js";
import {
  changesNothing,
  compatRoutes,
  errorOf,
  foreignShapes,
  shapeAt,
} from "./routes/compat/compat.js";
import { embeddingsRoutes } from "./routes/embeddings.js";
import { errorResponse } from "./routes/error-response.js";
import { exportRoute } from "./routes/export.js";
import { fieldsRoute } from "./routes/fields.js";
import { gapRoutes } from "./routes/gap.js";
import { headsRoutes } from "./routes/heads.js";
import { healthRoutes } from "./routes/health.js";
import { itemMediaRoute } from "./routes/item-media.js";
import { itemsRoutes } from "./routes/items.js";
import { jobsRoutes } from "./routes/jobs.js";
import { labelSetsRoutes } from "./routes/label-sets.js";
import { mapRoutes } from "./routes/map.js";
import { mcpRoutes } from "./routes/mcp.js";
import { mediaArchiveRoutes } from "./routes/media-archive.js";
import { modelsRoutes } from "./routes/models.js";
import { moveCollectionRoute } from "./routes/move-collection.js";
import { noteClients } from "./routes/note-clients.js";
import { pageRoutes } from "./routes/page.js";
import { patchItemsRoutes } from "./routes/patch-items.js";
import { refreshState } from "./routes/refresh-state.js";
import {
  allowOrigins,
  endConnections,
  guardLocalServer,
  limitBody,
  observeRequests,
  type RequestVariables,
} from "./routes/request-context.js";
import { limitPublic, requireKey } from "./routes/require-key.js";
import { searchRoutes } from "./routes/search.js";
import { upkeepRoutes } from "./routes/upkeep.js";
import { zeroShotRoutes } from "./routes/zero-shot.js";
import type { Services } from "./services.js";
import type { ReloadAnswer } from "./wire/server.js";

/**
 * Every route, without a port: `createApp(services).request("/v1/models")` answers as the server
 * would.
 */
export function createApp(
  services: Services,
  access = new Access(services.config, services.keys, services.audit),
  reload?: () => Promise<ReloadAnswer>,
) {
  const { config, log, stopping, audit } = services;
  const shapes = foreignShapes(services);
  const isInference = changesNothing(shapes);
  const app = new Hono<RequestVariables>({ getPath: clientPath(shapes) });
  const addresses = new MediaAddresses(access, { secret: services.addressSecret });
  return app
    .use(requestId())
    .use(observeRequests(log, config.requestTimeoutMs, services.tracer))
    .use((_, next) => services.activity.during(next()))
    .use(endConnections(stopping))
    .use(allowOrigins(config, access))
    .use(auditChanges(audit, isInference))
    .use(guardLocalServer(config, access))
    .use(limitPublic({ limit: services.rateLimit, config }))
    .route("/", pageRoutes())
    .use(noteClients(services.clients, (path) => shapeAt(shapes, path)?.name))
    .use(
      requireKey({
        access,
        addresses,
        limit: services.rateLimit,
        config,
        audit,
        isInference,
      }),
    )
    .use(limitBody(config.maxBodyBytes, services.bodies))
    .use(refreshState(services))
    .use(
      methodNotAllowed({
        app,
        onMethodNotAllowed: (c, methods) => {
          const allowed = methods.join(", ");
          const message = `${c.req.path} has no ${c.req.method}; it has ${allowed}`;
          c.header("Allow", allowed);
          return errorResponse(log)(new AppError("method_not_allowed", message), c);
        },
      }),
    )
    .route("/", compatRoutes(services, shapes))
    .route("/", aboutRoutes({ packs: services.packs, openApi: () => openApiDocument(app) }))
    .route("/", accessRoute())
    .route("/", healthRoutes(services))
    .route("/", modelsRoutes(services))
    .route("/", adminRoutes(services.clients, reload))
    .route("/", zeroShotRoutes(services))
    .route("/", embeddingsRoutes(services))
    .route("/", labelSetsRoutes(services))
    .route("/", collectionsRoutes(services))
    .route("/", aliasesRoutes(services))
    .route("/", classifyCollectionRoute(services))
    .route("/", moveCollectionRoute(services))
    .route("/", addItemsRoute(services))
    .route("/", itemsRoutes(services, addresses))
    .route("/", itemMediaRoute(services))
    .route("/", mediaArchiveRoutes(services, addresses))
    .route("/", patchItemsRoutes(services, addresses))
    .route("/", fieldsRoute(services))
    .route("/", mapRoutes(services))
    .route("/", exportRoute(services))
    .route("/", upkeepRoutes(services))
    .route("/", searchRoutes(services, addresses))
    .route(
      "/",
      gapRoutes({
        measure: services.gap.measure,
        readCollection: (name, choice, signal) => gapSides(services.store, name, choice, signal),
        bytesOf: async (name) => {
          const { count, dimensions } = await services.store.stats(name);
          return 4 * count * dimensions;
        },
        budget: services.budget,
      }),
    )
    .route("/", headsRoutes(services))
    .route("/", calibrationsRoutes(services))
    .route("/", bridgesRoutes(services))
    .route("/", jobsRoutes(services.jobs))
    .route("/", mcpRoutes(services, app))
    .notFound((c) => {
      const { method, path } = c.req;
      const hint = path.length > 1 && path.endsWith("/") ? "; paths end without a slash" : "";
      const error = new AppError("not_found", `There is no ${method} ${path}${hint}`);
      return errorResponse(log)(error, c);
    })
    .onError((error, c) => {
      const shape = shapeAt(shapes, c.req.path);
      return shape === undefined
        ? errorResponse(log)(error, c)
        : errorOf(services, c, shape, error);
    });
}

export type App = ReturnType<typeof createApp>;
