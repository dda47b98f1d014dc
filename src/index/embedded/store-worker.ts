import { workerData } from "node:worker_threads";
import { serveWorker } from "../../workers/serve-worker.js";
import type { Filter } from "../filter.js";
import type { CollectionSpec } from "../vector-store.js";
import type { CoreOptions, CoreQuery } from "./core-types.js";
import type { ItemRow } from "./item-rows.js";
import { StoreCore } from "./store-core.js";

// The thread of the embedded driver. Arguments are those of StoreCore's methods, as one object.

let core: StoreCore | undefined;

const opened = (): StoreCore => {
  if (core === undefined) throw new TypeError("The store is not open");
  return core;
};

type Delete = { ids: readonly string[] } | { filter: Filter };
type Page = {
  name: string;
  after: number;
  limit: number;
  filter?: Filter;
  modality?: number;
  space?: string;
};

serveWorker(
  {
    open: async () => {
      core = await StoreCore.open(workerData as CoreOptions);
    },
    createCollection: (spec: CollectionSpec) => opened().createCollection(spec),
    renameCollection: (args: { from: string; to: string; replace: boolean }) =>
      opened().renameCollection(args.from, args.to, args.replace),
    dropCollection: (name: string) => opened().dropCollection(name),
    listCollections: () => opened().listCollections(),
    stats: (name: string) => opened().stats(name),
    means: (name: string) => opened().means(name),
    upsert: ({
      name,
      items,
      ...shape
    }: {
      name: string;
      space: string;
      dimensions: number;
      items: ItemRow[];
    }) => opened().upsert(name, shape, items),
    delete: (args: { name: string; what: Delete }) => opened().delete(args.name, args.what),
    get: (args: { name: string; ids: string[] }) => opened().get(args.name, args.ids),
    preview: (args: { name: string; id: string }) => opened().preview(args.name, args.id),
    contentHashes: (args: { name: string; ids: string[] }) =>
      opened().contentHashes(args.name, args.ids),
    count: (args: { name: string; filter?: Filter }) => opened().count(args.name, args.filter),
    page: ({ name, after, limit, ...options }: Page) => opened().page(name, after, limit, options),
    search: (args: { name: string; space?: string; queries: CoreQuery[] }) =>
      opened().search(args.name, args.queries, args.space),
    warmUp: (name: string) => opened().warmUp(name),
    backup: (file: string) => opened().backup(file),
    compact: () => opened().compact(),
    settled: () => opened().settled(),
  },
  () => core?.close(),
);
