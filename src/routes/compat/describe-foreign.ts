import type { MiddlewareHandler } from "hono";
import { type DescribeRouteOptions, describeRoute } from "hono-openapi";
import { z } from "zod";
import { ErrorAnswer } from "../../wire/error.js";
import { type Content, contentOf, json, parametersOf } from "../describe.js";
import type { ForeignRoute, Shape } from "./shape.js";

export interface Candidate {
  shape: Shape;
  route: ForeignRoute;
}

/**
 * Describes a path of other products in /openapi.json: a body of any of those that share it, an
 * answer or an error in the form of the same one.
 */
export function describeForeign(
  method: string,
  path: string,
  candidates: readonly Candidate[],
): MiddlewareHandler {
  const names = [...new Set(candidates.map(({ shape }) => shape.name))];
  const routes = candidates.map(({ route }) => route);
  const queries = routes.flatMap(({ query }) => (query === undefined ? [] : [query]));
  const body = unionOf(routes.map(({ body }) => body));
  const responses = Object.fromEntries(
    [...new Set(routes.map(({ status = 200 }) => status))].map((status) => {
      const those = routes.filter((route) => (route.status ?? 200) === status);
      const content = unionOf(those.map(({ returns }) => returns));
      const description = "In the form of that client";
      return [status, { description, ...(content && { content: contentOf(content, "answer") }) }];
    }),
  );
  // Before a shared path is anyone's (no key, a body of none) the form is ours
  const errors = candidates.map(({ shape }) => json(shape.ErrorAnswer));
  const shared = names.length > 1 ? [json(ErrorAnswer)] : [];
  return describeRoute({
    operationId: `${method.toLowerCase()}${path.replaceAll(/\W/g, "_")}`,
    tags: ["Compatibility"],
    summary: `For clients of ${names.join(", ")}`,
    ...(queries.length > 0 && { parameters: queries.flatMap(parametersOf) }),
    ...(body && { requestBody: { required: true, content: contentOf(body, "request") } }),
    responses: {
      ...responses,
      default: {
        description: "An error in the form of that client",
        content: contentOf(unionOf([...errors, ...shared])!, "answer"),
      },
    },
  } as DescribeRouteOptions);
}

/** By media type any of the schemas; a plain JSON Schema stands for all of its type. */
function unionOf(contents: readonly (Content | undefined)[]): Content | undefined {
  const byType = new Map<string, Set<Content[string]>>();
  for (const content of contents)
    for (const [type, schema] of Object.entries(content ?? {}))
      byType.set(type, (byType.get(type) ?? new Set()).add(schema));
  if (byType.size === 0) return undefined;
  return Object.fromEntries(
    [...byType].map(([type, schemas]) => {
      const [first, ...others] = schemas;
      const isPlain = others.length === 0 || [...schemas].some((schema) => !("_zod" in schema));
      return [type, isPlain ? first : z.union([...schemas] as z.ZodType[])];
    }),
  );
}
