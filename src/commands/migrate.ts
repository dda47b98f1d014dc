import { resolve } from "node:path";
import type { Command } from "commander";
import { isBeingBuilt } from "../heads/collection-head.js";
import { copyCollection } from "../index/copy-collection.js";
import { wasOpened } from "../index/embedded/inspect-database.js";
import { openEmbeddedStore } from "../index/embedded/open-embedded-store.js";
import { openPostgresStore } from "../index/postgres/open-postgres-store.js";
import type { VectorStore } from "../index/vector-store.js";
import { copyState } from "../services/copy-state.js";
import { stateKinds } from "../services/state-kinds.js";
import { stateInDatabase, stateInFolder } from "../services/state-places.js";
import { counted } from "./counted.js";
import { print } from "./output.js";
import { progressBar } from "./progress.js";
import { CommandError } from "./target.js";

interface MigrateOptions {
  from: string;
  to: string;
  passwordFile?: string;
  prune?: boolean;
  json?: boolean;
}

/** `crossmodal migrate`: all but jobs and media, from a data folder to a database or back. */
export function migrateCommand(program: Command): void {
  const place = "a data folder, or postgres://user@host/database";
  program
    .command("migrate")
    .description("copy collections, heads, keys … to a database or back")
    .requiredOption("--from <place>", place)
    .requiredOption("--to <place>", place)
    .option("--password-file <file>", "file with the password of the database")
    .option("--prune", "delete items and files that only the target has")
    .option("--json", "print the result as JSON")
    .action(migrate);
}

async function migrate({ from, to, passwordFile, prune, json }: MigrateOptions): Promise<void> {
  if (!isDatabase(from) && !wasOpened(from)) {
    const message = `There are no collections in the data folder "${resolve(from)}"`;
    throw new CommandError(message, { code: "not_found" });
  }
  const source = await open(from, passwordFile);
  try {
    // A graph is built once everything is there: that costs a fourth of growing it.
    const target = await open(to, passwordFile, { graphFrom: Number.POSITIVE_INFINITY });
    try {
      for (const stats of await source.listCollections()) {
        if (isBeingBuilt(stats)) continue;
        const { name } = stats;
        const bar = progressBar(stats.count, `copying ${name}`, { rate: true });
        try {
          const copied = await copyCollection(source, target, stats, { prune, step: bar.step });
          const { items, written, pruned, checksum } = copied;
          const extra = pruned === 0 ? "" : `, ${pruned} deleted`;
          await print(
            json
              ? JSON.stringify({ collection: name, ...copied })
              : `${name}: ${items} items, ${written} written${extra}, checksum ${checksum}`,
          );
        } finally {
          bar.stop();
        }
      }
      await migrateState({ from, to, passwordFile, prune, json });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  const target = await open(to, passwordFile);
  try {
    await target.compact();
  } finally {
    await target.close();
  }
}

/** While both stores are open: a data folder is then nobody else's. */
async function migrateState({ from, to, passwordFile, prune, json }: MigrateOptions) {
  const placeOf = (place: string) =>
    isDatabase(place) ? stateInDatabase(place, passwordFile) : stateInFolder(place);
  const places = { from: placeOf(from), to: placeOf(to) };
  try {
    for (const kind of stateKinds) {
      const copied = await copyState(kind, { ...places, prune });
      const { files, written, pruned, checksum } = copied;
      if (files + pruned === 0) continue;
      const extra = pruned === 0 ? "" : `, ${pruned} deleted`;
      await print(
        json
          ? JSON.stringify({ state: kind, ...copied })
          : `${kind}: ${counted(files, "file")}, ${written} written${extra}, checksum ${checksum}`,
      );
    }
    for (const [what, count] of Object.entries(await places.from.left())) {
      if (count === 0) continue;
      await print(
        json ? JSON.stringify({ not_moved: what, count }) : `not moved: ${count} ${notMoved[what]}`,
      );
    }
  } finally {
    await places.from.close();
    await places.to.close();
  }
}

const notMoved: Record<string, string> = {
  jobs: "of the jobs; let them end before, or start them again",
  media: "kept files of media; give every server the folder media of the data folder",
};

const isDatabase = (place: string) => /^postgres(ql)?:\/\//.test(place);

const open = (
  place: string,
  passwordFile: string | undefined,
  options: { graphFrom?: number } = {},
): Promise<VectorStore> =>
  isDatabase(place)
    ? openPostgresStore({ url: place, passwordFile, ...options })
    : openEmbeddedStore({ dataDir: place });
