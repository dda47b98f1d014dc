import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { invalidInput } from "../../errors.js";

/** One of the servers that may be the primary. */
export interface DatabaseHost {
  host: string;
  port: number;
}

/**
 * Where a database is and how to log in. `pg` takes missing parts from PGUSER, PGPASSWORD and
 * PGPASSFILE.
 */
export interface DatabaseAddress {
  hosts: DatabaseHost[];
  user?: string;
  password?: string;
  database?: string;
  ssl?: ConnectionOptions;
}

const shape = "postgres://user@host:5432/database";
const form = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const parameters = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

/**
 * The parts of an address as libpq writes it: several hosts are separated by commas.
 * @throws AppError invalid_input, which shows nothing of a password.
 */
export function parseAddress(url: string, passwordFile = ""): DatabaseAddress {
  const match = form.exec(url);
  if (match === null) throw invalidInput("store", `Expected ${shape} as store`);
  const [, login = "", hosts, database = "", query = ""] = match;
  const colon = login.indexOf(":");
  const user = colon < 0 ? login : login.slice(0, colon);
  const password = passwordFile === "" ? login.slice(user.length + 1) : readSecret(passwordFile);
  return {
    hosts: hosts.split(",").map(hostOf),
    ...(user !== "" && { user: decoded(user) }),
    ...(password !== "" && { password: passwordFile === "" ? decoded(password) : password }),
    ...(database !== "" && { database: decoded(database) }),
    ...sslOf(new URLSearchParams(query)),
  };
}

function hostOf(text: string): DatabaseHost {
  const [, bracketed, plain = "", port = "5432"] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? decoded(plain);
  if (host === "" || Number(port) < 1 || Number(port) > 65_535)
    throw invalidInput("store", `Expected a host and port in the store's address: ${shape}`);
  return { host, port: Number(port) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidInput("store", `Expected % signs of the store's address as %25: ${shape}`);
  }
}

/**
 * As libpq: `require` encrypts and checks nothing, `verify-full` checks the certificate and the
 * name.
 */
function sslOf(query: URLSearchParams): { ssl?: ConnectionOptions } {
  for (const name of query.keys()) {
    if (parameters.includes(name)) continue;
    const names = parameters.join(", ");
    const message = `Unknown parameter "${name}" in the store's address; expected one of ${names}`;
    throw invalidInput("store", message);
  }
  const mode = query.get("sslmode") ?? "disable";
  if (mode === "disable") return {};
  if (!["require", "verify-ca", "verify-full"].includes(mode)) {
    const expected = "disable, require, verify-ca or verify-full";
    throw invalidInput("store", `Expected ${expected} as sslmode of the store's address`);
  }
  const file = (name: string) => {
    const path = query.get(name);
    return path === null ? undefined : readSecret(path);
  };
  const ssl: ConnectionOptions = {
    rejectUnauthorized: mode !== "require",
    ca: file("sslrootcert"),
    cert: file("sslcert"),
    key: file("sslkey"),
  };
  if (mode === "verify-ca") ssl.checkServerIdentity = () => undefined;
  return { ssl };
}

/** A file's text without the final newline that editors add. */
function readSecret(path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (cause) {
    throw invalidInput("store", `The file "${path}" for the store cannot be read`, cause);
  }
}
