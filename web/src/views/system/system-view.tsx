import { useMemo } from "preact/hooks";
import { Notice } from "../../components/notice.js";
import { usePolled } from "../../components/use-polled.js";
import { server } from "../../server.js";
import { status } from "../../status.js";
import { Clients } from "./clients.js";
import { Connect } from "./connect.js";
import { Jobs } from "./jobs.js";
import { Models } from "./models.js";
import { parseMetrics } from "./prometheus.js";
import { Requests } from "./requests.js";
import { Storage } from "./storage.js";
import "./system.css";

/** What is running, what it is doing, what it stores, and how to connect to it. */
export default function SystemView() {
  const { answer = "" } = usePolled(() => server.peek().metrics(), 3000);
  const samples = useMemo(() => parseMetrics(answer), [answer]);
  const { state, why } = status.value;
  return (
    <main class="system">
      <h1 class="only-read-aloud">System</h1>
      {state !== "unreachable" && why !== "" && (
        <Notice kind="bad" title="Something is wrong">
          {why}
        </Notice>
      )}
      <Models samples={samples} />
      <Jobs />
      <Storage />
      <Requests samples={samples} />
      <Clients />
      <Connect />
    </main>
  );
}
