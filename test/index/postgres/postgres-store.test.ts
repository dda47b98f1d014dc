import { afterAll, beforeAll, describe } from "vitest";
import {
  openPostgresStore,
  type PostgresStoreOptions,
} from "../../../src/index/postgres/open-postgres-store.js";
import {
  hasPostgres,
  onPostgres,
  type PostgresVersion,
  TestPostgres,
} from "../../helpers/postgres.js";
import { type ContractStore, vectorStoreContract } from "../contract.js";

function contract(
  what: string,
  version: PostgresVersion,
  options: Partial<PostgresStoreOptions> = {},
) {
  describe.skipIf(!hasPostgres(version))(onPostgres(what, version), () => {
    let server: TestPostgres;
    beforeAll(async () => {
      server = await TestPostgres.start(version);
    });
    afterAll(() => server?.dispose());

    vectorStoreContract(what, async (): Promise<ContractStore> => {
      await server.query("drop schema if exists crossmodal cascade");
      const open = () => openPostgresStore({ url: server.url(), ...options });
      let store = await open();
      return {
        store,
        async reopen() {
          await store.close();
          store = await open();
          return store;
        },
        dispose: () => store.close(),
      };
    });
  });
}

contract("openPostgresStore", 18);
contract("openPostgresStore", 16);
// Graphs are built, grow and are searched within the same facts.
contract("openPostgresStore with graphs from 8 items", 18, {
  graphFrom: 8,
  scanMatchesUpTo: 4,
  scanHighUpTo: 8,
});
