import type { Env, Hono } from "hono";
import { generateSpecs } from "hono-openapi";
import { version } from "../version.js";

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: { schemas: Record<string, unknown> };
}

export interface OpenApiOperation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters?: { in: string; name: string; required?: boolean; schema: object }[];
  requestBody?: { content: OpenApiContent };
  responses: Record<string, OpenApiAnswer>;
}

export interface OpenApiAnswer {
  description: string;
  content?: OpenApiContent;
}

/** By media type; anything without a schema. */
export type OpenApiContent = Record<string, { schema?: object }>;

const info = {
  title: "crossmodal",
  version,
  license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  description:
    "Texts, pictures and sounds into embeddings: zero-shot classification, collections and " +
    "search. " +
    "Bodies are JSON with names in snake_case; media comes as a multipart file, or in JSON as " +
    "base64, data URI or, where the server allows it, URL. Errors are " +
    '{"error": {"code", "message", "param", "type"}}.',
};

/** The routes of an app as OpenAPI 3.1, from their own descriptions (see routes/describe.ts). */
export async function openApiDocument<E extends Env>(app: Hono<E>): Promise<OpenApiDocument> {
  const document = await generateSpecs(app, {
    excludeStaticFile: false,
    documentation: {
      info,
      servers: [{ url: "/" }],
      // Without `apiKeys` the server only serves its own machine, and needs none.
      security: [{}, { bearer: [] }, { key: [] }],
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer" },
          key: { type: "apiKey", in: "header", name: "x-api-key" },
        },
      },
    } as NonNullable<Parameters<typeof generateSpecs>[1]>["documentation"],
  });
  const result = document as unknown as OpenApiDocument;
  for (const operations of Object.values(result.paths)) {
    for (const { parameters = [] } of Object.values(operations)) {
      for (const parameter of parameters) {
        if (parameter.in === "path" && parameter.name === "version")
          parameter.schema = { type: "integer", minimum: 1, maximum: 999_999_999 };
      }
    }
  }
  return result;
}
