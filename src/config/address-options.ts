import { z } from "zod";
import { asIs, number, option, shownAddress } from "./option.js";

/** Where the server listens and keeps its data. */
export const addressOptions = {
  host: option(
    z.string().min(1),
    "127.0.0.1",
    asIs,
    "Address to listen on; any but loopback needs API keys or trustedHosts.",
  ),
  port: option(
    z.int().min(0).max(65535),
    8080,
    number,
    "TCP port to listen on; 0 takes a free one.",
  ),
  dataDir: option(
    z.string().min(1),
    "", // loadConfig puts the system's folder here
    asIs,
    "Folder of collections, heads, jobs and pulled models; by default the system's for a user's " +
      "data (below).",
  ),
  store: {
    ...option(
      z.string().regex(/^(postgres(ql)?:\/\/.+)?$/, {
        message: "Expected an address like postgres://user@host:5432/database",
      }),
      "",
      asIs,
      "Database that holds the collections instead of dataDir, as " +
        "postgres://user@host1,host2/database?sslmode=verify-full (experimental, docs/scaling.md).",
    ),
    shown: shownAddress,
  },
  storePasswordFile: option(
    z.string(),
    "",
    asIs,
    "File with the password of store's database; without it and PGPASSWORD, ~/.pgpass is read.",
  ),
  storeReads: option(
    z.enum(["primary", "standbys"]),
    "primary",
    asIs,
    "Where collections in a database are read: of several hosts the standbys answer, when they " +
      "have everything that the primary has (docs/scaling.md).",
  ),
  indexEngine: option(
    z.enum(["usearch", "hnswlib"]),
    "usearch",
    asIs,
    "Library that builds the graphs of large collections; hnswlib needs the package " +
      "hnswlib-node (docs/search.md).",
  ),
};
