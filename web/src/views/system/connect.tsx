import { CodeTabs } from "../../components/code-tabs.js";
import { hasKey, serverUrl } from "../../server.js";
import { status } from "../../status.js";

const clients = [
  "curl",
  "TypeScript",
  "Python",
  "OpenAI",
  "Open WebUI",
  "Immich",
  "API keys",
] as const;

/** How to connect a program: text to copy. */
export function Connect() {
  return (
    <section class="card connect" aria-label="Connect a program">
      <header class="row">
        <strong>Connect a program</strong>
        <span class="quiet">
          every route: <a href={`${serverUrl}/docs`}>docs</a>
        </span>
      </header>
      <CodeTabs languages={clients} codeOf={codeOf} />
    </section>
  );
}

function codeOf(client: (typeof clients)[number]): string {
  const model = status.value.models[0]?.id ?? "starter-clip";
  const needsKey = hasKey.value;
  const header = needsKey ? ' -H "Authorization: Bearer $CROSSMODAL_API_KEY"' : "";
  switch (client) {
    case "curl":
      return [
        `curl -s ${serverUrl}/v1/embeddings${header} \\`,
        "  -H 'Content-Type: application/json' \\",
        `  -d '{"model": "${model}", "input": ["a red bus", "rain"]}'`,
      ].join("\n");
    case "TypeScript":
      return [
        'import { createClient } from "crossmodal/client";',
        "",
        `const client = createClient({ url: "${serverUrl}"${
          needsKey ? ", apiKey: process.env.CROSSMODAL_API_KEY" : ""
        } });`,
        `const { results } = await client.search("photos", { text: "a red bus" });`,
      ].join("\n");
    case "Python":
      return [
        "import requests",
        "",
        "answer = requests.post(",
        `    "${serverUrl}/v1/embeddings",`,
        ...(needsKey ? ['    headers={"Authorization": f"Bearer {key}"},'] : []),
        `    json={"model": "${model}", "input": ["a red bus", "rain"]},`,
        ").json()",
      ].join("\n");
    case "OpenAI":
      return [
        "from openai import OpenAI",
        "",
        `client = OpenAI(base_url="${serverUrl}/v1", api_key=${needsKey ? "key" : '"none"'})`,
        `client.embeddings.create(model="${model}", input=["a red bus", "rain"])`,
      ].join("\n");
    case "Open WebUI":
      return [
        "# in Open WebUI's admin settings, Documents: embedding engine OpenAI, base URL, key and",
        "# model; or in its environment, before its first start:",
        "RAG_EMBEDDING_ENGINE=openai",
        `RAG_OPENAI_API_BASE_URL=${serverUrl}/v1`,
        `RAG_OPENAI_API_KEY=${needsKey ? "<key>" : "none"}`,
        `RAG_EMBEDDING_MODEL=${model}`,
        "# the server has to listen where Open WebUI reaches it: see docs/clients.md",
      ].join("\n");
    case "Immich":
      return [
        "# in Immich's settings, Machine Learning, URL; or in its environment:",
        `IMMICH_MACHINE_LEARNING_URL=${serverUrl}`,
        "# the server has to listen where Immich reaches it: see docs/immich.md",
      ].join("\n");
    case "API keys":
      return [
        "# on the server's machine; a key is shown once, and may read, write or admin",
        'crossmodal keys create "a colleague" --scope read --expires 90d',
        "crossmodal keys list",
        "crossmodal keys revoke <id>",
        "# from the first key on, every request needs one: see docs/access.md",
      ].join("\n");
  }
}
