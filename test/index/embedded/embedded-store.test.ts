// slow: each fact of the contract has a store in a thread, which syncs to the disk
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type EmbeddedStoreOptions,
  openEmbeddedStore,
} from "../../../src/index/embedded/open-embedded-store.js";
import { type ContractStore, vectorStoreContract } from "../contract.js";

function create(options: Partial<EmbeddedStoreOptions>) {
  return async (): Promise<ContractStore> => {
    const dataDir = await mkdtemp(join(tmpdir(), "crossmodal-store-"));
    const open = () => openEmbeddedStore({ dataDir, ...options });
    let store = await open();
    return {
      store,
      async reopen() {
        await store.close();
        store = await open();
        return store;
      },
      async dispose() {
        await store.close();
        await rm(dataDir, { recursive: true });
      },
    };
  };
}

vectorStoreContract("openEmbeddedStore", create({}));
// So small that graphs are built, saved, loaded and made anew within the same facts.
vectorStoreContract(
  "openEmbeddedStore with graphs from 8 items",
  create({ scanUpTo: 8, scanHighUpTo: 8, snapshotAfter: 16 }),
);
vectorStoreContract(
  "openEmbeddedStore with graphs of hnswlib",
  create({ engine: "hnswlib", scanUpTo: 8, scanHighUpTo: 8, snapshotAfter: 16 }),
);
