import { posix } from "node:path";
import type { GraphHeader } from "./graph-header.js";

/**
 * A file with weights of a graph: its path in the folder, and how many of its bytes the graph
 * needs.
 */
export interface ExternalFile {
  path: string;
  bytes: number;
}

/**
 * The files that hold a graph's weights, as the graph itself names them
 * (`onnx.save_model(location=…)` takes any name). They are beside the graph or below.
 *
 * @param graph  path of the graph in the folder.
 * @throws RangeError for a name that leads elsewhere, or has a special meaning to ONNX Runtime.
 */
export function externalFilesOf(graph: string, { externalFiles }: GraphHeader): ExternalFile[] {
  const home = posix.dirname(graph);
  return [...externalFiles].map(([location, bytes]) => {
    const path = posix.join(home, location);
    const isInside = path.startsWith(`${home}/`) && path !== graph;
    // A location with "*" is an address in memory to ONNX Runtime (*/_ORT_MEM_ADDR_/*).
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (isInside && !/^[/\\]|^[a-z]:|[*\\\u0000-\u001f]/i.test(location)) return { path, bytes };
    throw new RangeError(
      `${graph} keeps its weights in ${JSON.stringify(location)}, which is not beside it`,
    );
  });
}
