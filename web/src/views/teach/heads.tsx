import type { HeadAnswer, HeadVersionAnswer } from "../../../../src/wire/heads.js";
import { toast } from "../../components/toasts.js";
import { download } from "../../download.js";
import { sentenceOf, server } from "../../server.js";

const kinds = {
  probe: "from examples",
  cache: "from examples, beside the texts",
  projection: "from pairs",
};

/** Earlier results: versions side by side, one of them in use. */
export function Heads({
  heads,
  failure,
  onChange,
}: {
  heads: readonly HeadAnswer[];
  failure: string;
  onChange: () => void;
}) {
  const act = async (work: () => Promise<unknown>, done: string) => {
    await work().then(
      () => toast(done),
      (error) => toast(sentenceOf(error)),
    );
    onChange();
  };
  return (
    <section class="card heads" aria-label="Taught before">
      <header class="row">
        <strong>Taught before</strong>
        <span class="quiet">
          {failure || "the version in use answers when a request asks for it by name"}
        </span>
      </header>
      {heads.length === 0 && <p class="sentence">Nothing yet.</p>}
      <div class="scroller">
        <table>
          <tbody>
            {heads.flatMap((head) =>
              head.versions.map((version) => (
                <Version key={`${head.name} ${version.version}`} {...{ head, version, act }} />
              )),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Version({
  head: { name },
  version,
  act,
}: {
  head: HeadAnswer;
  version: HeadVersionAnswer;
  act: (work: () => Promise<unknown>, done: string) => Promise<void>;
}) {
  const { version: number, active } = version;
  const client = server.peek();
  const save = async () =>
    download(`${name}-${number}.head`, await client.exportHead(name, number));
  return (
    <tr>
      <td>
        <strong>{name}</strong> version {number}
      </td>
      {"error" in version ? (
        <td class="bad">{version.error}</td>
      ) : (
        <td class="quiet">
          {kinds[version.kind]}
          {version.labels !== undefined && `: ${version.labels.slice(0, 6).join(", ")}`}
          {version.verdict && ` · ${version.verdict.improved ? "better" : "not better"}`}
        </td>
      )}
      <td>{active ? "in use" : ""}</td>
      <td class="number">
        <span class="row end">
          {active ? (
            <button
              type="button"
              onClick={() =>
                act(() => client.deactivateHead(name), `No version of ${name} is in use now`)
              }
            >
              Stop using
            </button>
          ) : (
            <button
              type="button"
              onClick={() =>
                act(
                  () => client.activateHead(name, { version: number }),
                  `${name}, version ${number}, is in use now`,
                )
              }
            >
              Use
            </button>
          )}
          <button type="button" onClick={() => act(save, "The head is saved")}>
            Export
          </button>
          {!active && (
            <button
              type="button"
              onClick={() => act(() => client.deleteHeadVersion(name, number), "Deleted")}
            >
              Delete
            </button>
          )}
        </span>
      </td>
    </tr>
  );
}
