import type { MiddlewareHandler } from "hono";
import type { Services } from "../services.js";

/**
 * Routes that show or change what servers share besides collections. Others, such as a search, take
 * what this server knows, which lags behind by less than a second.
 */
const ofState = /^\/v1\/(heads|bridges|calibrations|label-sets|train|classifiers?)(\/|$)/;

/** Requests about shared state see earlier changes by other servers. */
export function refreshState({
  refreshState: refresh,
}: Pick<Services, "refreshState">): MiddlewareHandler {
  return async (c, next) => {
    if (ofState.test(c.req.path)) await refresh();
    await next();
  };
}
