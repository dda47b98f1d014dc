import type { ClientList } from "../../../../src/wire/server.js";
import { isAccessTold, whyNot } from "../../access.js";
import { Scroller } from "../../components/scroller.js";
import { usePolled } from "../../components/use-polled.js";
import { server } from "../../server.js";

type Client = ClientList["data"][number];

/** What is not written as the server names it. */
const apiNames: Record<string, string> = {
  native: "crossmodal",
  openai: "OpenAI",
  mcp: "MCP",
  page: "this page",
  huggingface: "Hugging Face",
  immich: "Immich",
  "label-studio": "Label Studio",
  tei: "Text Embeddings Inference",
  kserve: "KServe",
  cohere: "Cohere",
  freesound: "Freesound",
  infinity: "Infinity",
  jina: "Jina",
  ollama: "Ollama",
  photoprism: "PhotoPrism",
  roboflow: "Roboflow",
  vllm: "vLLM",
  voyage: "Voyage",
  weaviate: "Weaviate",
};

/** Who asks this server: programs that were pointed here, and this page. */
export function Clients() {
  const why = whyNot("admin", "Seeing who asks");
  const { answer, failure } = usePolled(
    isAccessTold.value && why === undefined ? () => server.peek().listClients() : undefined,
    3000,
  );
  const clients = answer?.data ?? [];
  const minutes = answer?.window_minutes ?? 0;
  return (
    <section class="card" aria-label="Clients">
      <header class="row">
        <strong>Clients</strong>
        <span class="quiet">{failure || "who asked this server since its start"}</span>
      </header>
      {clients.length > 0 && (
        <Scroller label="Table of clients">
          <table class="clients">
            <thead>
              <tr>
                <th>Program</th>
                <th>Key or address</th>
                <th>Speaks the API of</th>
                <th class="number">Requests in {minutes} min</th>
                <th class="number">Refused</th>
                <th class="number">Last seen</th>
              </tr>
            </thead>
            <tbody>
              {clients.map((client) => (
                <tr key={`${client.key?.id} ${client.address} ${client.program}`}>
                  <td>{client.program ?? <span class="quiet">unnamed</span>}</td>
                  <td>
                    {client.key === null ? client.address : client.key.name}
                    {client.key !== null && <span class="quiet"> at {client.address}</span>}
                  </td>
                  <td>{client.apis.map((api) => apiNames[api] ?? api).join(", ")}</td>
                  <td class="number">{countText(client.requests)}</td>
                  <td class={client.errors > 0 ? "number bad" : "number"}>
                    {countText(client.errors)}
                  </td>
                  <td class="number">{agoText(client)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
      <p class="sentence">
        {why ??
          "A program appears with its first request. None of yours here? Copy an address from " +
            "below into it. The server keeps this in memory only, and nothing of what was asked."}
      </p>
    </section>
  );
}

const countText = (count: number) => (count === 0 ? "–" : count.toLocaleString());

function agoText({ last_seen_at }: Client): string {
  const seconds = (Date.now() - Date.parse(last_seen_at)) / 1000;
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(last_seen_at).toLocaleDateString();
}
