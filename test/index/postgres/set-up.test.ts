import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCollection } from "../../../src/index/postgres/collection-rows.js";
import type { Connections } from "../../../src/index/postgres/connections.js";
import { GraphUpkeep } from "../../../src/index/postgres/graph-upkeep.js";
import { ItemWriter } from "../../../src/index/postgres/item-writer.js";
import {
  connectionsTo,
  openPostgresStore,
} from "../../../src/index/postgres/open-postgres-store.js";
import { prepareSchema } from "../../../src/index/postgres/schema.js";
import { schemaUpgrades } from "../../../src/index/postgres/schema-upgrades.js";
import { certificates } from "../../helpers/certificates.js";
import { hasPostgres, onPostgres, TestPostgres, userWithPassword } from "../../helpers/postgres.js";
import { tlsProxy } from "../../helpers/tls-proxy.js";
import { randomItems } from "../random-items.js";

const open = (url: string, passwordFile?: string) =>
  openPostgresStore({ url, passwordFile, connectTimeoutMs: 3000 });
const refused = async (opening: Promise<unknown>) => {
  const error = await opening.then(
    () => undefined,
    (reason) => reason,
  );
  return { code: error?.code, message: error?.message };
};
const says = (code: string, part: string) => ({ code, message: expect.stringContaining(part) });

describe.skipIf(!hasPostgres(18))(onPostgres("openPostgresStore"), () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await TestPostgres.start();
    await server.query(`create role ${userWithPassword} login password 'let me in'`);
  });
  afterAll(() => server?.dispose());

  const as = (login: string, database: string) =>
    `postgres://${login}@127.0.0.1:${server.port}/${database}`;

  it("makes its tables in an empty database, once for servers that start together", async () => {
    await server.query("create database fresh");
    const stores = await Promise.all([1, 2, 3].map(() => open(server.url("fresh"))));
    await stores[0].createCollection({ name: "a", space: "s", dimensions: 3 });
    expect((await stores[2].listCollections()).map(({ name }) => name)).toEqual(["a"]);
    for (const store of stores) await store.close();
  });

  it("leaves the tables of other programs alone", async () => {
    await server.query("create database shared");
    await server.query("create table collections (theirs int)", "shared");
    await (await open(server.url("shared"))).close();
    expect(await server.query("select * from collections", "shared")).toEqual([]);
  });

  it("refuses tables of a newer version", async () => {
    await server.query("create database newer");
    await (await open(server.url("newer"))).close();
    await server.query("update crossmodal.version set version = 99", "newer");
    expect(await refused(open(server.url("newer")))).toEqual(
      says("storage_failed", "made by a newer crossmodal (its tables have version 99, this one"),
    );
  });

  const items = randomItems(20, 16);
  const withConnections = async <T>(url: string, work: (on: Connections) => Promise<T>) => {
    const connections = connectionsTo({ url });
    try {
      return await work(connections);
    } finally {
      await connections.close();
    }
  };

  it("brings tables of every older version up to date, with what is in them", async () => {
    for (let version = 1; version < schemaUpgrades.length; version++) {
      const url = server.url(`version_${version}`);
      await server.query(`create database version_${version}`);
      await withConnections(url, async (connections) => {
        const vectorType = await connections.write(async (db) => {
          await prepareSchema(db, schemaUpgrades.slice(0, version));
          await createCollection(db, { name: "photos", space: "toy", dimensions: 16 });
          return (await db.query("select 'vector'::regtype::oid::int as oid")).rows[0].oid;
        });
        const upkeep = new GraphUpkeep(connections, { graphFrom: Number.POSITIVE_INFINITY });
        await new ItemWriter({ connections, upkeep, vectorType }).upsert("photos", items);
        await upkeep.close();
      });
      const store = await open(url);
      expect((await store.stats("photos")).count).toBe(20);
      const [{ neighbors }] = await store.search("photos", [{ ...items[3], topK: 1 }]);
      expect(neighbors[0].id).toBe(items[3].id);
      await store.upsert("photos", items); // replaces them, by tables that came later too
      await store.close();
      const [row] = await server.query(
        "select version from crossmodal.version",
        `version_${version}`,
      );
      expect(row).toEqual({ version: schemaUpgrades.length });
    }
  });

  it("lets an older server go on beside a newer one, but not start again", async () => {
    await server.query("create database rolling");
    const url = server.url("rolling");
    const older = await open(url);
    try {
      await older.createCollection({ name: "photos", space: "toy", dimensions: 16 });
      await older.upsert("photos", items.slice(0, 10));
      const next = `alter table crossmodal.collections add column note text;
        create table crossmodal.later (n bigint)`;
      await withConnections(url, (connections) =>
        connections.write((db) => prepareSchema(db, [...schemaUpgrades, next])),
      );
      await older.upsert("photos", items);
      await older.createCollection({ name: "more", space: "toy", dimensions: 16 });
      await older.renameCollection("more", "others");
      await older.delete("photos", { ids: [items[0].id] });
      expect((await older.listCollections()).map(({ count }) => count)).toEqual([0, 19]);
      expect(await older.search("photos", [{ ...items[3], topK: 1 }])).toHaveLength(1);
      expect(await refused(open(url))).toEqual(says("storage_failed", "start the newer one"));
    } finally {
      await older.close();
    }
  });

  it("says so when the database is missing or nothing listens", async () => {
    expect(await refused(open(server.url("nowhere")))).toEqual(
      says("storage_failed", "does not exist; create it"),
    );
    expect(await refused(open("postgres://postgres@127.0.0.1:1/postgres"))).toEqual(
      says("storage_unavailable", "nothing listens"),
    );
    expect(await refused(open("postgres://postgres@name.invalid/postgres"))).toEqual(
      says("storage_unavailable", "cannot be resolved"),
    );
  });

  it("takes the password from the address or a file, and never shows it", async () => {
    await server.query(`create database guarded owner ${userWithPassword}`);
    await server.query("create extension vector", "guarded");
    const file = join(mkdtempSync(join(tmpdir(), "crossmodal-secret-")), "password");
    writeFileSync(file, "let me in\n");
    await (await open(as("app:let%20me%20in", "guarded"))).close();
    await (await open(as("app", "guarded"), file)).close();
    const wrong = await refused(open(as("app:s3cret-word", "guarded")));
    expect(wrong).toEqual(says("storage_failed", "password authentication failed"));
    expect(wrong.message).not.toContain("s3cret-word");
    expect(await refused(open(as("app", "guarded")))).toEqual(
      says("storage_failed", "asks for a password"),
    );
    const malformed = await refused(open("postgres://app:s3cret-word@host:port/x"));
    expect(malformed.code).toBe("invalid_input");
    expect(malformed.message).not.toContain("s3cret-word");
  });

  it("says what the owner has to run where the user may not make the tables", async () => {
    await server.query("create database foreign_owner");
    expect(await refused(open(as("app:let%20me%20in", "foreign_owner")))).toEqual(
      says("storage_failed", "ask an administrator to run it"),
    );
  });

  it("refuses a standby's address, and finds the primary beside it", async () => {
    const standby = await TestPostgres.standbyOf(server);
    try {
      expect(await refused(open(standby.url()))).toEqual(
        says("storage_unavailable", "is a standby"),
      );
      const hosts = [standby, server].map(({ port }) => `127.0.0.1:${port}`).join(",");
      const store = await open(`postgres://postgres@${hosts}/postgres`);
      await store.createCollection({ name: "b", space: "s", dimensions: 3 });
      await store.close();
    } finally {
      await standby.dispose();
    }
  });

  it("checks certificates as sslmode says, and shows its own where one is asked for", async () => {
    await server.query("create database secure");
    const folder = mkdtempSync(join(tmpdir(), "crossmodal-tls-"));
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [right, other] = certificates;
    const ca = `sslrootcert=${file("ca.pem", right.cert)}`;
    const otherCa = `sslrootcert=${file("other.pem", other.cert)}`;
    const own = `sslcert=${file("own.pem", other.cert)}&sslkey=${file("own.key", other.key)}`;
    const plain = await tlsProxy(server, "127.0.0.1", right);
    const elsewhere = await tlsProxy(server, "127.0.0.2", right);
    const asking = await tlsProxy(server, "127.0.0.1", {
      ...right,
      ...{ ca: other.cert, requestCert: true, rejectUnauthorized: true },
    });
    const at = ({ port }: { port: number }, query: string, host = "127.0.0.1") =>
      open(`postgres://postgres@${host}:${port}/secure?${query}`);
    const tls = (part: string) => says("storage_failed", part);
    try {
      for (const query of ["sslmode=require", `sslmode=verify-full&${ca}`]) {
        const store = await at(plain, query);
        expect(await store.listCollections()).toEqual([]);
        await store.close();
      }
      expect(await refused(at(plain, `sslmode=verify-ca&${otherCa}`))).toEqual(tls("self-signed"));
      expect(await refused(at(plain, "sslmode=verify-full"))).toEqual(tls("TLS does not match"));
      expect(await refused(at(elsewhere, `sslmode=verify-full&${ca}`, "127.0.0.2"))).toEqual(
        tls("127.0.0.2 is not in the cert's list"),
      );
      await (await at(elsewhere, `sslmode=verify-ca&${ca}`, "127.0.0.2")).close();
      await (await at(asking, `sslmode=verify-full&${ca}&${own}`)).close();
      expect(await refused(at(asking, `sslmode=verify-full&${ca}`))).toEqual(
        tls("certificate required"),
      );
      expect(await refused(open(`${server.url("secure")}?sslmode=require`))).toEqual(
        tls("does not support SSL"),
      );
    } finally {
      for (const one of [plain, elsewhere, asking]) one.close();
    }
  });

  it("says so when the server has no pgvector", async () => {
    const bare = await TestPostgres.start(18, { extension_control_path: "/nowhere" });
    try {
      expect(await refused(open(bare.url()))).toEqual(says("storage_failed", "has no pgvector"));
    } finally {
      await bare.dispose();
    }
  });
});
