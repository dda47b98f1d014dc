import { bodyOf, formOf } from "./body.js";
import { ConnectionError } from "./errors.js";
import type { CallOptions, Send, SendInit } from "./send.js";

type Query = Record<string, string | number | boolean | undefined>;

/** The helpers that the client's methods are built from. */
export function callsOf(send: Send) {
  const json = async <T>(path: string, init: SendInit): Promise<T> => {
    const text = await textOf(path, init);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new ConnectionError(`Expected JSON from ${path} but received ${text.slice(0, 80)}`);
    }
  };
  const textOf = (path: string, init: SendInit) => read(path, init, (response) => response.text());
  const read = async <T>(
    path: string,
    init: SendInit,
    body: (response: Response) => Promise<T>,
  ) => {
    const response = await send(path, init);
    return body(response).catch((error: Error) => {
      init.signal?.throwIfAborted();
      throw new ConnectionError(`The answer broke off (${error.message})`, { cause: error });
    });
  };
  const sends =
    (method: string) =>
    async <T>(path: string, request?: object, options?: CallOptions) =>
      json<T>(path, { ...options, ...(await requestOf(method, request)) });
  return {
    send,
    json,
    text: textOf,
    blob: (path: string, init: SendInit): Promise<Blob> =>
      read(path, init, (response) => response.blob()),
    get: <T>(path: string, options?: CallOptions) => json<T>(path, { ...options }),
    delete: <T>(path: string, options?: CallOptions) =>
      json<T>(path, { ...options, method: "DELETE" }),
    /** As JSON, or as a form when a field is a file. */
    post: sends("POST"),
    put: sends("PUT"),
    patch: sends("PATCH"),
    /** Always as a form. */
    postForm: async <T>(path: string, request: object, options?: CallOptions) =>
      json<T>(path, { ...options, method: "POST", body: await formOf(request) }),
  };
}

export type Calls = ReturnType<typeof callsOf>;

export async function requestOf(method: string, request?: object): Promise<SendInit> {
  if (request === undefined) return { method };
  const { body, type } = await bodyOf(request);
  return { method, body, ...(type !== undefined && { headers: { "content-type": type } }) };
}

/** `/v1/collections/c?limit=5`: the parts of a path, each encoded, and the query. */
export function pathOf(...parts: readonly (string | number)[]) {
  return parts.map((part) => `/${segment(String(part))}`).join("");
}

/** URLs drop the segments "." and "..": the path would be another one. */
function segment(part: string): string {
  if (/^\.{0,2}$/.test(part)) throw new TypeError(`"${part}" cannot be part of a path`);
  return encodeURIComponent(part);
}

export function queryOf(query: Query): string {
  const parameters = Object.entries(query).filter(([, value]) => value !== undefined);
  if (parameters.length === 0) return "";
  const texts = parameters.map(([name, value]) => [name, String(value)]);
  return `?${new URLSearchParams(Object.fromEntries(texts))}`;
}
