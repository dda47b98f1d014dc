import { useState } from "preact/hooks";
import type { HeadVersionAnswer } from "../../../../src/wire/heads.js";
import { Needs } from "../../components/needs.js";
import { toast } from "../../components/toasts.js";
import { download } from "../../download.js";
import { linkTo } from "../../router.js";
import { sentenceOf, server } from "../../server.js";
import { forgetVersion } from "./teaching.js";
import { TryIt } from "./try-it.js";

/** A version of a head: what it learnt from, and what can be done with it. */
export function Version({
  name,
  version: one,
  onChange,
}: {
  name: string;
  version: HeadVersionAnswer;
  onChange: () => void;
}) {
  const [shown, setShown] = useState<"try" | "delete">();
  const { version, active } = one;
  const act = async (work: () => Promise<unknown>, done: string) => {
    await work().then(
      () => toast(done),
      (error) => toast(sentenceOf(error)),
    );
    onChange();
  };
  const client = server.peek();
  const use = () =>
    act(() => client.activateHead(name, { version }), `${name}, version ${version}, is in use now`);
  const stopUsing = () =>
    act(() => client.deactivateHead(name), `No version of ${name} is in use now`);
  const save = () =>
    act(async () => {
      download(`${name}-${version}.head`, await client.exportHead(name, version));
    }, `Saved as ${name}-${version}.head`);
  const remove = () =>
    act(async () => {
      await client.deleteHeadVersion(name, version);
      forgetVersion(name, version);
    }, `${name}, version ${version}, is deleted`);
  const triedOn = "labels" in one && one.labels !== undefined ? one.modalities[0] : undefined;
  return (
    <li aria-label={`${name}, version ${version}`}>
      <div class="about">
        <p>
          <strong>{name}</strong> version {version}
          {active && <span class="badge">in use</span>}
        </p>
        <p class={"error" in one ? "bad" : "sentence"}>{aboutText(one)}</p>
      </div>
      {shown === "delete" ? (
        <div class="row end">
          <span class="sentence">Delete it for good?</span>
          <button type="button" class="danger" onClick={remove}>
            Delete
          </button>
          <button type="button" onClick={() => setShown(undefined)}>
            Keep
          </button>
        </div>
      ) : (
        <div class="row end">
          {triedOn !== undefined && (
            <button
              type="button"
              aria-expanded={shown === "try"}
              onClick={() => setShown(shown === "try" ? undefined : "try")}
            >
              Try
            </button>
          )}
          {!("error" in one) && (
            <a class="button" href={linkTo("classify", [], { head: `${name}@${version}` })}>
              In Classify
            </a>
          )}
          <Needs scope="write">
            <button type="button" onClick={active ? stopUsing : use}>
              {active ? "Stop using" : "Use"}
            </button>
          </Needs>
          <button type="button" onClick={save}>
            Export
          </button>
          {!active && (
            <Needs scope="write">
              <button type="button" onClick={() => setShown("delete")}>
                Delete…
              </button>
            </Needs>
          )}
        </div>
      )}
      {shown === "try" && triedOn !== undefined && (
        <TryIt head={`${name}@${version}`} modality={triedOn} />
      )}
    </li>
  );
}

const shownLabels = 6;

/** "cow, dog · 61 of 65 examples predicted right from the others · 28 Nov 2026, 14:03" */
function aboutText(one: HeadVersionAnswer): string {
  if ("error" in one) return one.error;
  const { items, pairs, labels = [], held_out, verdict, created_at } = one;
  const source = items === undefined ? `${pairs} pairs` : `${items} examples`;
  const right =
    held_out &&
    `${Math.round(held_out.accuracy * held_out.items)} of ${held_out.items} examples predicted ` +
      "right from the others";
  const named = labels.slice(0, shownLabels).join(", ");
  const more = labels.length > shownLabels ? ` and ${labels.length - shownLabels} more` : "";
  const when = new Date(created_at).toLocaleString(undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return [
    named + more,
    right ?? source,
    verdict === null ? "" : verdict.improved ? "better than without" : "not better than without",
    when,
  ]
    .filter(Boolean)
    .join(" · ");
}
