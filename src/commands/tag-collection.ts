import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { Failures } from "./failures.js";
import { matchingItems, selectionOf } from "./item-selection.js";
import { isObject } from "./options.js";
import { print } from "./output.js";
import { writeSidecar } from "./tag-outputs.js";
import { CommandError, isReported, type Target } from "./target.js";

type Flags = Parameters<typeof selectionOf>[0] & { field?: string; json?: boolean };

/** The tags that a classify job wrote into metadata, as sidecars beside the items' files. */
export async function tagCollection(target: Target, name: string, flags: Flags): Promise<void> {
  const { field = "tags", json } = flags;
  const tagged = { field: `${field}.labels`, op: "exists", value: true } as const;
  const selection = selectionOf(flags);
  const filter = selection === undefined ? tagged : { and: [tagged, selection] };
  const failures = new Failures();
  let [items, written] = [0, 0];
  for await (const { id, metadata, source } of matchingItems(target, name, filter)) {
    items++;
    try {
      const tags = tagsIn(metadata, field);
      if (source === undefined || !isAbsolute(source) || !(await isFile(source)))
        throw new CommandError("its file is not on this machine");
      const files = await writeSidecar(source, tags);
      written += files.length;
      if (json) await print(JSON.stringify({ id, file: source, written: files }));
    } catch (error) {
      if (!isReported(error)) throw error;
      failures.add(id, error.message);
    }
  }
  if (items === 0)
    throw new CommandError(
      `No item of ${name} has tags in "${field}": crossmodal collections classify writes them`,
    );
  const others = items - written - failures.count;
  const sidecars = written === 1 ? "1 sidecar" : `${written} sidecars`;
  const summary = `${name}: ${sidecars} written, ${others} unchanged`;
  if (json) console.error(summary);
  else await print(summary);
  if (failures.count > 0) throw new CommandError(failures.lines().join("\ncrossmodal: "));
}

function tagsIn(metadata: Record<string, unknown>, field: string) {
  const value = field
    .split(".")
    .reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), metadata);
  const { labels, scores, by } = isObject(value) ? value : {};
  const isTags = Array.isArray(labels) && Array.isArray(scores) && labels.length === scores.length;
  if (!isTags) throw new CommandError(`"${field}" holds no tags of a classify job`);
  return {
    labels: labels.map((label, i) => ({ label: String(label), confidence: Number(scores[i]) })),
    by: String(by),
  };
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
