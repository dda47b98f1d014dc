import { Scroller } from "../../components/scroller.js";
import { sizeText } from "../../media.js";
import { boundText, type Sample, timesByRoute } from "./prometheus.js";

const shownRoutes = 12;
/** Requests that this page and probes repeat would be on top. */
const ofThePage = /^GET \/(assets\/\*|health\/.*|metrics)?$/;

/** How long answers take since the server was started. */
export function Requests({ samples }: { samples: readonly Sample[] }) {
  const routes = timesByRoute(samples)
    .filter(({ route }) => !ofThePage.test(route))
    .slice(0, shownRoutes);
  const memory = samples.find(({ name }) => name === "process_resident_memory_bytes")?.value;
  const lookups = (result: string) =>
    samples.find(
      ({ name, labels }) => name === "crossmodal_cache_lookups_total" && labels.result === result,
    )?.value ?? 0;
  const all = lookups("hit") + lookups("miss");
  return (
    <section class="card" aria-label="Requests">
      <header class="row">
        <strong>Requests</strong>
        <span class="quiet">
          since the start
          {memory !== undefined && ` · ${sizeText(memory)} of memory in use`}
          {all > 0 &&
            ` · ${Math.round((100 * lookups("hit")) / all)} % of inputs found in the cache`}
        </span>
      </header>
      {routes.length === 0 && <p class="sentence">None so far.</p>}
      <Scroller label="Table of requests" hidden={routes.length === 0}>
        <table class="requests">
          <thead>
            <tr>
              <th>Route</th>
              <th class="number">Answers</th>
              <th class="number">Refused</th>
              <th class="number">Half within</th>
              <th class="number">99 % within</th>
            </tr>
          </thead>
          <tbody>
            {routes.map(({ route, count, failed, halfWithin, mostWithin }) => (
              <tr key={route}>
                <td>
                  <code>{route}</code>
                </td>
                <td class="number">{count.toLocaleString()}</td>
                <td class="number">{failed === 0 ? "–" : failed.toLocaleString()}</td>
                <td class="number">{boundText(halfWithin)}</td>
                <td class="number">{boundText(mostWithin)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      <p class="sentence">
        Times are upper bounds of the ranges that the server counts in: half of the answers came
        within the first, 99 of 100 within the second. Prometheus reads the same at /metrics.
      </p>
    </section>
  );
}
