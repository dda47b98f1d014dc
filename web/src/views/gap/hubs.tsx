import { useEffect, useState } from "preact/hooks";
import type { GapAnswer } from "../../../../src/wire/gap.js";
import { Preview } from "../../components/preview.js";
import { fileNameOf } from "../../media.js";
import { linkTo } from "../../router.js";
import { sentenceOf, server } from "../../server.js";
import type { Shown } from "../search/feed.js";
import { PlayButton } from "../search/sound-player.js";
import { directionsOf } from "./figures.js";

const maxShown = 5;

type Ranked = NonNullable<GapAnswer["hubs"]>["a_to_b"]["items"][number];

/** The items that many queries find, in both directions; those of a collection open. */
export function HubList({ report, collection }: { report: GapAnswer; collection?: string }) {
  const { hubs } = report;
  const names = directionsOf(report);
  if (hubs === null) return null;
  const ways = [
    { way: "a_to_b", name: names.a_to_b, from: names.a, items: hubs.a_to_b.items },
    { way: "b_to_a", name: names.b_to_a, from: names.b, items: hubs.b_to_a.items },
  ];
  if (ways.every(({ items }) => items.length === 0)) return null;
  return (
    <section class="card gap-hubs" aria-label="Hubs">
      <p>
        <strong>Hubs</strong>{" "}
        <span class="quiet">— what many queries have among their first ten</span>
      </p>
      {ways.map(({ way, name, from, items }) => (
        <div key={way}>
          <p class="quiet">{name}</p>
          {items.length === 0 && (
            <p class="sentence">None: nothing is found twice as often as the average.</p>
          )}
          <ol>
            {items.slice(0, maxShown).map((hub) => (
              <li key={hub.id ?? hub.row}>
                {hub.id === undefined || collection === undefined ? (
                  <span class="name">row {hub.row}</span>
                ) : (
                  <Hub collection={collection} id={hub.id} />
                )}
                <span class="quiet">{shareText(hub, from)}</span>
              </li>
            ))}
          </ol>
        </div>
      ))}
      <p class="sentence">
        A hub comes up whatever is asked, so it is rarely what was meant: look whether it is blank,
        damaged or a caption that fits anything.
      </p>
    </section>
  );
}

const shareText = ({ share }: Ranked, from: string) => `${(100 * share).toFixed(0)} % of ${from}`;

/** It is seen and heard here, and leads to what is like it. */
function Hub({ collection, id }: { collection: string; id: string }) {
  const [item, setItem] = useState<Shown>();
  const [failure, setFailure] = useState("");
  useEffect(() => {
    const abort = new AbortController();
    setItem(undefined);
    server
      .peek()
      .getItem(collection, id, {}, { signal: abort.signal })
      .then(setItem, (error) => abort.signal.aborted || setFailure(sentenceOf(error)));
    return () => abort.abort();
  }, [collection, id]);
  const short = fileNameOf(id);
  if (failure !== "")
    return (
      <span class="name" title={failure}>
        {short} <span class="bad">{failure}</span>
      </span>
    );
  return (
    <>
      <a class="hub" title={id} href={linkTo("search", [collection], { like: id })}>
        {item !== undefined && <Preview collection={collection} item={item} />}
        {item?.modality !== "text" && <span class="name">{short}</span>}
      </a>
      {item !== undefined && <PlayButton collection={collection} item={item} />}
    </>
  );
}
