import { TrieRouter } from "hono/router/trie-router";
import { getPath } from "hono/utils/url";
import type { Shape } from "./shape.js";

/** OpenAI's, which are ours. */
const ownPaths = [
  ["POST", "/v1/embeddings"],
  ["GET", "/v1/models"],
  ["GET", "/v1/models/:id"],
];

/**
 * The path by which a request is routed. A base URL that ends in a slash gives `//embeddings` or
 * `/embeddings/`, which is found all the same. Every other path is taken literally, so that a path
 * forbidden by a proxy has no second spelling.
 */
export function clientPath(shapes: readonly Shape[]): (request: Request) => string {
  const router = new TrieRouter<true>();
  for (const [method, path] of ownPaths) router.add(method, path, true);
  for (const { name, routes } of shapes)
    for (const { method, path, changes } of routes)
      if (method !== "DELETE" && changes !== true)
        for (const at of [path, `/compat/${name}${path}`]) router.add(method, at, true);
  return (request) => {
    const path = getPath(request);
    if (!/\/\/|.\/$/.test(path)) return path;
    const plain = path.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
    const [found] = router.match(request.method, plain);
    return found.length > 0 ? plain : path;
  };
}
