import { dot } from "../../math/vector.js";
import type { Services } from "../../services.js";
import { mediaMaker } from "../media-content.js";
import { embedForeign } from "./embed-foreign.js";
import { contentOfText } from "./parts.js";
import type { ForeignContext } from "./shape.js";

/**
 * Documents by the cosine of their embedding with the query's, nearest first; pictures and sounds
 * as data URIs too.
 */
export async function rank(
  services: Services,
  request: { query: string; documents: readonly string[]; model?: string; param?: string },
  c: ForeignContext,
): Promise<{
  model: string;
  tokens: number;
  results: { index: number; cosine: number }[];
}> {
  const { param = "documents" } = request;
  const mediaOf = mediaMaker(services, c.get("signal"));
  const contents = [
    contentOfText(request.query, mediaOf, "query"),
    ...request.documents.map((text, i) => contentOfText(text, mediaOf, `${param}[${i}]`)),
  ];
  const inputs = { model: request.model, param };
  const { pack, embeddings, tokens } = await embedForeign(services, inputs, contents, c);
  const [query, ...documents] = embeddings;
  const results = documents
    .map((embedding, index) => ({ index, cosine: dot(query, embedding) }))
    .sort((a, b) => b.cosine - a.cosine);
  return { model: pack.manifest.id, tokens, results };
}
