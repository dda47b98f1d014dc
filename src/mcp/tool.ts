import type {
  CallToolResult,
  McpServer,
  StandardSchemaWithJSON,
  ToolAnnotations,
} from "@modelcontextprotocol/server";
import type { z } from "zod";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import type { LocalFiles } from "../media/local-files.js";
import { parseBody } from "../wire/parse-with.js";
import { type Ask, ToolError } from "./ask.js";

/** The parts that tools need. */
export interface ToolParts {
  ask: Ask;
  log: Pick<Log, "error">;
  /** Address of the server, for links to kept media; without it there are none. */
  base?: string;
  /** Local files that a call may name; none by default. */
  files?: LocalFiles;
}

export interface ToolAnswer {
  /** Matches `output`; also sent as the text of the result. */
  structured: object;
  /** Pictures that follow it. */
  media?: CallToolResult["content"];
}

export interface Tool<I extends z.ZodType> {
  name: string;
  title: string;
  /** For a language model that has read no other documentation. */
  description: string;
  input: I;
  output: z.ZodType;
  annotations: ToolAnnotations;
  run(args: z.infer<I>, signal: AbortSignal): Promise<ToolAnswer>;
}

/** Adds a tool to a server: reads its arguments as strictly as a route reads a body. */
export function addTool<I extends z.ZodType>(
  server: McpServer,
  { log }: Pick<ToolParts, "log">,
  tool: Tool<I>,
): void {
  const { name, title, description, annotations } = tool;
  const [inputSchema, outputSchema] = [unchecked(tool.input), unchecked(tool.output)];
  const config = { title, description, annotations, inputSchema, outputSchema };
  server.registerTool(name, config, async (args, context): Promise<CallToolResult> => {
    const client = context.http?.req?.signal;
    const { signal: cancelled } = context.mcpReq;
    const signal = client === undefined ? cancelled : AbortSignal.any([client, cancelled]);
    try {
      const parsed = await parseBody(tool.input, withoutNulls(args));
      const { structured, media = [] } = await tool.run(parsed, signal);
      const text = { type: "text" as const, text: JSON.stringify(structured) };
      return {
        content: [text, ...media],
        structuredContent: structured as Record<string, unknown>,
      };
    } catch (error) {
      return { content: [{ type: "text", text: messageOf(error, name, log) }], isError: true };
    }
  });
}

/**
 * Models write null for arguments they leave out. A null filter might match everything, so it is
 * kept and refused.
 */
function withoutNulls(args: unknown): object {
  const fields = Object.entries((args ?? {}) as object);
  return Object.fromEntries(fields.filter(([name, value]) => value !== null || name === "filter"));
}

function messageOf(error: unknown, tool: string, log: ToolParts["log"]): string {
  if (error instanceof AppError || error instanceof ToolError) {
    return error.code === undefined ? error.message : `${error.code}: ${error.message}`;
  }
  if ((error as Error).name === "AbortError") return "cancelled: The call was cancelled";
  log.error({ err: error, tool }, "internal error");
  return "internal: Internal server error";
}

/**
 * A schema for description only. Inputs are parsed by `parseBody`, with its messages; outputs are a
 * route's answers, and a newer server's may have more fields.
 */
function unchecked(schema: z.ZodType): StandardSchemaWithJSON<unknown, unknown> {
  const { jsonSchema } = schema["~standard"] as StandardSchemaWithJSON["~standard"];
  return {
    "~standard": {
      version: 1,
      vendor: "crossmodal",
      validate: (value) => ({ value }),
      jsonSchema: { input: jsonSchema.input, output: jsonSchema.input },
    },
  };
}
