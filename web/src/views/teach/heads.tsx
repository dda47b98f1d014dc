import type { HeadAnswer } from "../../../../src/wire/heads.js";
import { WhyOff } from "../../components/needs.js";
import { Version } from "./version.js";

/** Earlier results: versions side by side, the newest first, one of them in use. */
export function Heads({
  heads,
  failure,
  onChange,
}: {
  heads: readonly HeadAnswer[];
  failure: string;
  onChange: () => void;
}) {
  return (
    <section class="card heads" aria-label="Taught before">
      <header class="row">
        <strong>Taught before</strong>
        <span class="quiet">
          {failure || "a program that asks for a name gets the version that is in use"}
        </span>
      </header>
      {heads.length > 0 && <WhyOff scope="write" doing="Using another version, or deleting one," />}
      {heads.length === 0 && <p class="sentence">Nothing yet.</p>}
      <ul class="versions">
        {heads.flatMap(({ name, versions }) =>
          versions
            .toSorted((a, b) => b.version - a.version)
            .map((one) => (
              <Version
                key={`${name} ${one.version}`}
                name={name}
                version={one}
                onChange={onChange}
              />
            )),
        )}
      </ul>
    </section>
  );
}
