import type { TestProject } from "vitest/node";
import { hasPostgres, onPostgres, TestPostgres } from "../helpers/postgres.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the routes' tests of this project keep their collections; empty for a data folder. */
    postgres: string;
  }
}

/** One PostgreSQL for all files of the project; helpers/services.ts makes databases in it. */
export default async function setUp({ provide }: TestProject) {
  if (!hasPostgres(18)) {
    console.warn(onPostgres("the routes, in the embedded driver once more"));
    provide("postgres", "");
    return undefined;
  }
  const server = await TestPostgres.start();
  provide("postgres", server.url());
  return () => server.dispose();
}
