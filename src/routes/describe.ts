import type { MiddlewareHandler } from "hono";
import { type DescribeRouteOptions, describeRoute } from "hono-openapi";
import { z } from "zod";
import { type ErrorCode, invalidInput } from "../errors.js";
import { type JsonSchema, jsonSchemaOf, type SchemaUse } from "../openapi/json-schema.js";
import { ErrorAnswer } from "../wire/error.js";
import { parseWith } from "../wire/parse-with.js";
import { statusOf } from "./error-response.js";

/** Bodies or answers by media type: a schema of the wire, or a JSON Schema. */
export type Content = Record<string, z.ZodType | JsonSchema>;

export interface Operation {
  /** Unique: its name in generated clients. */
  id: string;
  /** The group it is shown in. */
  tag: string;
  summary: string;
  description?: string;
  query?: z.ZodObject;
  body?: Content;
  bodyRequired?: boolean;
  /** By status. */
  answers: Record<number, { description?: string; content?: Content; headers?: string[] }>;
  /** In addition to those of every route. */
  errors?: readonly ErrorCode[];
  /** The form of an error, where it is another than ours. */
  ErrorAnswer?: z.ZodType;
}

const always: readonly ErrorCode[] = [
  "invalid_input",
  "unauthorized",
  "forbidden",
  "rate_limited",
  "timeout",
  "unavailable",
];
export const bodyErrors: readonly ErrorCode[] = [
  "invalid_input",
  "too_slow",
  "too_large",
  "unsupported_media",
];
/** Errors of decoding and embedding. */
export const inferenceErrors: readonly ErrorCode[] = [
  "model_not_found",
  "not_found",
  "conflict",
  "space_mismatch",
  "no_path",
  "url_refused",
  "undecodable_media",
  "overloaded",
  "model_corrupt",
  "inference_failed",
  "fetch_failed",
  "device_unavailable",
];
/** Errors of reading or writing the data folder. */
export const storeErrors: readonly ErrorCode[] = [
  "invalid_input",
  "not_found",
  "conflict",
  "overloaded",
  "storage_failed",
  "storage_corrupt",
  "storage_locked",
  "storage_unavailable",
  "storage_full",
];

/**
 * Describes a route in /openapi.json, and refuses query parameters other than those it describes: a
 * misspelt one must not be silently ignored (`DELETE …?dry_run=true`).
 */
export function describe(operation: Operation): MiddlewareHandler {
  const { id, tag, summary, description, query, body, bodyRequired = true } = operation;
  const responses: Record<string, object> = {};
  for (const [status, answer] of Object.entries(operation.answers)) {
    responses[status] = {
      description: answer.description ?? "Done",
      ...(answer.content && { content: contentOf(answer.content, "answer") }),
      ...(answer.headers && { headers: headersOf(answer.headers) }),
    };
  }
  for (const [status, codes] of Object.entries(byStatus(operation.errors ?? []))) {
    responses[status] ??= {
      description: codes.join(", "),
      content: contentOf(json(operation.ErrorAnswer ?? ErrorAnswer), "answer"),
      ...(["429", "503"].includes(status) && { headers: headersOf(["Retry-After"]) }),
    };
  }
  const described = describeRoute({
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(query && { parameters: parametersOf(query) }),
    ...(body && { requestBody: { required: bodyRequired, content: contentOf(body, "request") } }),
    responses,
  } as DescribeRouteOptions);
  const check: MiddlewareHandler = async (c, next) => {
    if (c.req.path.startsWith("/v1/")) checkQuery(query, c.req.queries());
    await next();
  };
  return Object.assign(check, described); // what hono-openapi finds a description by
}

/** @throws AppError `invalid_input` naming the parameter. */
function checkQuery(schema: z.ZodObject | undefined, parameters: Record<string, string[]>): void {
  for (const [name, values] of Object.entries(parameters))
    if (values.length > 1) throw invalidInput(name, `"${name}" appears ${values.length} times`);
  const query = Object.fromEntries(
    Object.entries(parameters).map(([name, [value]]) => [name, value]),
  );
  parseWith((schema ?? z.object({})).strict(), query);
}

const formType = "multipart/form-data";

/** A body that may come as JSON or as a form. */
export const jsonOrForm = (schema: z.ZodType): Content => ({
  "application/json": schema,
  [formType]: schema,
});
export const json = (schema: z.ZodType): Content => ({ "application/json": schema });
export const binary = (...types: string[]): Content =>
  Object.fromEntries(types.map((type) => [type, { type: "string", format: "binary" }]));
export const text = (...types: string[]): Content =>
  Object.fromEntries(types.map((type) => [type, { type: "string" }]));

/** Schemas are generated when the document is first requested. */
export function contentOf(content: Content, use: SchemaUse) {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => {
      if (!("_zod" in schema)) return [type, { schema }];
      const toSchema = () => jsonSchemaOf(schema as z.ZodType, type === formType ? "form" : use);
      return [type, { schema: { toOpenAPISchema: async () => toSchema() } }];
    }),
  );
}

export function parametersOf(query: z.ZodObject) {
  return Object.entries(query.shape).map(([name, field]) => ({
    in: "query",
    name,
    required: !(field as z.ZodType).safeParse(undefined).success,
    schema: jsonSchemaOf(field as z.ZodType, "form").schema,
  }));
}

const headersOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { schema: { type: "string" } }]));

function byStatus(codes: readonly ErrorCode[]): Record<number, string[]> {
  const groups: Record<number, string[]> = { 500: ["internal"] };
  for (const code of new Set([...always, ...codes])) {
    groups[statusOf[code]] = [...(groups[statusOf[code]] ?? []), code];
  }
  return groups;
}
