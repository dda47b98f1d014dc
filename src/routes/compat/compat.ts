import { Hono } from "hono";
import { TrieRouter } from "hono/router/trie-router";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { invalidInput } from "../../errors.js";
import type { Services } from "../../services.js";
import { reportError } from "../error-response.js";
import type { RequestVariables } from "../request-context.js";
import { cohereShape } from "./cohere.js";
import { type Candidate, describeForeign } from "./describe-foreign.js";
import { freesoundShape } from "./freesound.js";
import { huggingfaceShape } from "./huggingface.js";
import { immichShape } from "./immich.js";
import { infinityShape } from "./infinity.js";
import { jinaShape } from "./jina.js";
import { kserveShape } from "./kserve.js";
import { labelStudioShape } from "./label-studio.js";
import { llamaCppShape } from "./llama-cpp.js";
import { ollamaShape } from "./ollama.js";
import { photoprismShape } from "./photoprism.js";
import { roboflowShape } from "./roboflow.js";
import type { ForeignContext, ForeignRoute, Shape } from "./shape.js";
import { soundspanShape } from "./soundspan.js";
import { teiShape } from "./tei.js";
import { vllmShape } from "./vllm.js";
import { voyageShape } from "./voyage.js";
import { weaviateShape } from "./weaviate.js";

/** The shapes of other products. If several share a path, the first that matches answers. */
export const foreignShapes = (services: Services): readonly Shape[] => [
  vllmShape(services),
  jinaShape(services),
  huggingfaceShape(services),
  infinityShape(services),
  llamaCppShape(services),
  immichShape(services),
  labelStudioShape(services),
  teiShape(services),
  cohereShape(services),
  voyageShape(services),
  weaviateShape(services),
  kserveShape(services),
  freesoundShape(services),
  soundspanShape(services),
  photoprismShape(services),
  roboflowShape(services),
  ollamaShape(services),
];

/** Our own paths: requests that no shape matches go on to our route. */
const isOwn = (method: string, path: string) => method === "POST" && path === "/v1/embeddings";

/** Our own route describes itself, and the bodies that it shares its path with. */
const described: typeof describeForeign = (method, path, candidates) =>
  isOwn(method, path) ? (_, next) => next() : describeForeign(method, path, candidates);

/** Whether a POST to a path only computes: no shape that may answer there stores anything. */
export function changesNothing(shapes: readonly Shape[]): (path: string) => boolean {
  const router = new TrieRouter<{ changes: boolean }>();
  for (const { name, routes } of shapes)
    for (const { method, path, changes = false } of routes)
      for (const at of [path, `/compat/${name}${path}`])
        if (method === "POST") router.add(method, at, { changes });
  return (path) => {
    const [found] = router.match("POST", path);
    return found.length > 0 && found.every(([{ changes }]) => !changes);
  };
}

/** Every shape at its clients' paths, and under `/compat/NAME`. */
export function compatRoutes(services: Services, shapes: readonly Shape[]) {
  const app = new Hono<RequestVariables>();
  const add = (method: string, path: string, candidates: readonly Candidate[]) =>
    app.on(method, path, described(method, path, candidates), async (c, next) => {
      if (method === "POST") services.budget.refuseWhenFull();
      const chosen = await choose(c, candidates);
      if (chosen !== undefined) {
        c.set("api", chosen.shape.name);
        return answer(services, c, chosen);
      }
      if (isOwn(method, path)) return next();
      throw unmatched(c, candidates);
    });
  for (const [key, candidates] of byPath(shapes)) {
    const [method, path] = key.split(" ");
    add(method, path, candidates);
  }
  for (const shape of shapes) {
    for (const [key, candidates] of byPath([{ ...shape, routes: shape.routes.map(everywhere) }])) {
      const [method, path] = key.split(" ");
      add(method, `/compat/${shape.name}${path}`, candidates);
    }
  }
  return app;
}

const everywhere = (route: ForeignRoute): ForeignRoute => ({
  ...route,
  onlyUnderPrefix: undefined,
});

function byPath(shapes: readonly Shape[]): Map<string, Candidate[]> {
  const found = new Map<string, Candidate[]>();
  for (const shape of shapes) {
    for (const route of shape.routes) {
      if (route.onlyUnderPrefix) continue;
      const key = `${route.method} ${route.path}`;
      found.set(key, [...(found.get(key) ?? []), { shape, route }]);
    }
  }
  return found;
}

/** The only candidate, or the first whose sniff is true; one without a sniff takes the rest. */
async function choose(
  c: ForeignContext,
  candidates: readonly Candidate[],
): Promise<Candidate | undefined> {
  if (candidates.length === 1) return candidates[0];
  for (const one of candidates) {
    if (one.route.matches === undefined || (await one.route.matches(c))) return one;
  }
  return undefined;
}

function unmatched(c: ForeignContext, candidates: readonly Candidate[]) {
  const names = candidates.map(({ shape }) => shape.name).join(", ");
  const message =
    `The body of ${c.req.method} ${c.req.path} does not match any client that uses this path: ` +
    `${names}`;
  return invalidInput(undefined, message);
}

async function answer(services: Services, c: ForeignContext, { shape, route }: Candidate) {
  try {
    return await route.answer(c);
  } catch (error) {
    return errorOf(services, c, shape, error as Error);
  }
}

/**
 * An error before the route was reached (no key, no such path), in the form that the path's client
 * expects.
 */
export function shapeAt(shapes: readonly Shape[], path: string): Shape | undefined {
  const prefixed = /^\/compat\/([^/]+)/.exec(path)?.[1];
  if (prefixed !== undefined) return shapes.find(({ name }) => name === prefixed);
  const those = shapes.filter(({ routes }) =>
    routes.some((route) => route.path === path && !route.onlyUnderPrefix),
  );
  return those.length === 1 && path !== "/v1/embeddings" ? those[0] : undefined;
}

export function errorOf(
  { log }: Pick<Services, "log">,
  c: ForeignContext,
  shape: Shape,
  error: Error,
): Response {
  const reported = reportError(log, error, c);
  const { body, status = reported.status } = shape.errors(reported);
  return c.json(body, status as ContentfulStatusCode);
}
