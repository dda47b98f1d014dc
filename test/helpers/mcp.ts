import { type CallToolResult, Client } from "@modelcontextprotocol/client";

/** `legacy` is the protocol of 2025, which most hosts speak; `auto` finds out the newest. */
export const eras = ["legacy", "auto"] as const;

export const newClient = (mode: (typeof eras)[number] = "legacy") =>
  new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });

/** A tool's result as our own tests look at it. */
export async function call(client: Client, name: string, args: object, options = {}) {
  const params = { name, arguments: args as Record<string, unknown> };
  const result = (await client.callTool(params, options)) as CallToolResult;
  const [first, ...media] = result.content;
  const text = first?.type === "text" ? first.text : "";
  // biome-ignore lint/suspicious/noExplicitAny: whatever the tool's output schema says
  return { result, text, media, answer: result.structuredContent as any };
}
