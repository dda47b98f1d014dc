import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

/** In the project that runs on PostgreSQL a database for a test file alone, else an empty text. */
export async function newDatabase(): Promise<string> {
  const url = inject("postgres");
  if (!url) return "";
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return url.replace(/\w+$/, name);
}
