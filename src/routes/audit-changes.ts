import type { MiddlewareHandler } from "hono";
import type { Audit } from "../access/audit.js";
import { addWarning } from "./compat/warnings-header.js";
import type { RequestVariables } from "./request-context.js";
import { isPublic, scopeOf } from "./require-key.js";

/** Changes and exports nothing, and the page asks every few seconds. */
const clientsPath = "/v1/admin/clients";

/**
 * Records requests that change something, with their author, and those that were refused for want
 * of a right key. An answer whose line is not in the audit file says so, and is otherwise the same:
 * the change is done.
 *
 * @param isInference  as for `scopeOf`.
 */
export function auditChanges(
  audit: Audit,
  isInference: (path: string) => boolean,
): MiddlewareHandler<RequestVariables> {
  return async (c, next) => {
    await next();
    const { method, path } = c.req;
    if (isPublic(path) || path === clientsPath || scopeOf(method, path, isInference) === "read")
      return;
    const { status } = c.res;
    const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } };
    const { address = incoming?.socket?.remoteAddress ?? "", key } = c.get("client") ?? {};
    const by = key === undefined ? {} : { key: key.id, name: key.name };
    const request = { method, path, status, address, ...by };
    const isRefused = c.get("isPastGate") !== true;
    if (isRefused && status !== 401 && status !== 403) return; // no attempt that could succeed
    const trouble = await (isRefused ? audit.recordRefusal(request) : audit.recordRequest(request));
    if (trouble !== undefined) addWarning(c, `${trouble}; the line is in the server's log`);
  };
}
