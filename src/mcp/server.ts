import { McpServer } from "@modelcontextprotocol/server";
import { version } from "../version.js";
import { addCollectionTools } from "./collection-tools.js";
import { addInferenceTools } from "./inference-tools.js";
import { addSearchTools } from "./search-tools.js";
import type { ToolParts } from "./tool.js";

const instructions =
  "crossmodal searches and classifies texts, pictures and sounds by their content. Call list " +
  "for the available collections and models; search for items like a text, picture or sound; " +
  "classify to choose among your own labels.";

/** A Model Context Protocol server whose tools use the server's routes. */
export function createMcpServer(parts: ToolParts): McpServer {
  const server = new McpServer({ name: "crossmodal", version }, { instructions });
  addSearchTools(server, parts);
  addInferenceTools(server, parts);
  addCollectionTools(server, parts);
  return server;
}
