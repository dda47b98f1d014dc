import type { App } from "../../src/app.js";
import { cosine } from "./golden.js";
import { jsonPost } from "./services.js";

/** A JSON request to a route, as its answer or its error. */
export async function ask<T>(
  app: App,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: T }> {
  const response = await app.request(path, body === undefined ? undefined : jsonPost(body));
  return { status: response.status, body: (await response.json()) as T };
}

/** The embedding of our own route: what every other shape must give too. */
export async function ownEmbedding(
  app: App,
  input: string,
  fields: { model?: string; modality?: string } = {},
): Promise<number[]> {
  const { body } = await ask<{ data: { embedding: number[] }[] }>(app, "/v1/embeddings", {
    input,
    ...fields,
  });
  return body.data[0].embedding;
}

/** Cosine 1 up to float32's rounding. */
export const isSame = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && cosine(a, b) > 0.99999;

export const dataUri = (type: string, base64: string) => `data:${type};base64,${base64}`;

/** Numbers of the base64 of float32, little-endian. */
export function floatsOf(base64: string): number[] {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  return Array.from(new Float32Array(bytes.buffer));
}
