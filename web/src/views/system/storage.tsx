import { useState } from "preact/hooks";
import { Needs, WhyOff } from "../../components/needs.js";
import { Scroller } from "../../components/scroller.js";
import { toast } from "../../components/toasts.js";
import { usePolled } from "../../components/use-polled.js";
import { download } from "../../download.js";
import { sizeText } from "../../media.js";
import { linkTo } from "../../router.js";
import { hasKey, sentenceOf, server, serverUrl } from "../../server.js";

const indexWords = {
  none: "every item is compared",
  building: "a graph is being built",
  ready: "a graph is ready for fast searches",
};

/** Stored collections, their backup, and compaction. */
export function Storage() {
  const { answer, failure } = usePolled(() => server.peek().listCollections(), 5000);
  const [isBusy, setBusy] = useState(false);
  const run = async (work: () => Promise<string>) => {
    setBusy(true);
    toast(await work().catch(sentenceOf));
    setBusy(false);
  };
  const backup = () =>
    run(async () => {
      download("crossmodal.backup", await new Response(await server.peek().backup()).blob());
      return "The backup is saved";
    });
  const compact = () =>
    run(async () => {
      await server.peek().compact();
      return "Room was given back";
    });
  const list = answer?.data ?? [];
  return (
    <section class="card" aria-label="Storage">
      <header class="row">
        <strong>Storage</strong>
        <span class="quiet">{failure || (list.length === 0 ? "no collections yet" : "")}</span>
        <span class="right row">
          {hasKey.value ? (
            <Needs scope="admin">
              <button type="button" disabled={isBusy} onClick={backup}>
                Backup
              </button>
            </Needs>
          ) : (
            <a class="button" href={`${serverUrl}/v1/backup`} download="crossmodal.backup">
              Backup
            </a>
          )}
          <Needs scope="write">
            <button type="button" disabled={isBusy} onClick={compact}>
              Compact
            </button>
          </Needs>
        </span>
      </header>
      {list.length > 0 && (
        <Scroller label="Table of collections">
          <table class="collections">
            <thead>
              <tr>
                <th>Collection</th>
                <th class="number">Items</th>
                <th class="number">Vectors</th>
                <th>Model</th>
                <th>Search</th>
              </tr>
            </thead>
            <tbody>
              {list.map(({ name, count, dimensions, model, space, index }) => (
                <tr key={name}>
                  <td>
                    <a href={linkTo("search", [name])}>{name}</a>
                  </td>
                  <td class="number">{count.toLocaleString()}</td>
                  <td class="number">{sizeText(4 * count * dimensions)}</td>
                  <td>{model ?? `vectors of your own, ${space}`}</td>
                  <td class="quiet">{indexWords[index.state]}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
      <WhyOff scope="write" doing="Compacting" />
      <WhyOff scope="admin" doing="A backup" />
      <p class="sentence">
        A backup is one file with everything, made while the server works; the command line restores
        it. Compacting frees the space of deleted items; collections wait meanwhile.
      </p>
    </section>
  );
}
