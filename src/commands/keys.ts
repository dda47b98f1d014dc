import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  createKey,
  keyFilePath,
  keyFolder,
  readKeys,
  revokeKey,
  type StoredKey,
  scopes,
} from "../access/key-file.js";
import type { Config } from "../config.js";
import type { StateFolder } from "../files/state-folder.js";
import { isTime } from "../index/filter.js";
import { connectionsTo } from "../index/postgres/open-postgres-store.js";
import { prepareSchema } from "../index/postgres/schema.js";
import { SharedState } from "../index/postgres/state/shared-state.js";
import { addConfigFlags, configOf } from "./options.js";
import { print } from "./output.js";
import { printable, table } from "./table.js";

const place = ["dataDir", "store", "storePasswordFile"] as const;

/** `crossmodal keys`: the API keys of a data folder or database, also while servers use it. */
export function keysCommand(program: Command): void {
  const keys = program.command("keys").description("API keys: create, list and revoke them");

  const create = keys
    .command("create")
    .description("create a key; it is shown once and valid immediately")
    .argument("<name>", "name of its owner")
    .addOption(
      new Option("--scope <scope>", "what it allows; each includes the previous one")
        .choices(scopes)
        .default("read"),
    )
    .option(
      "--expires <when>",
      "a date such as 2027-01-31, or a time from now: 12h, 30d",
      parseTime,
    )
    .option("--requests-per-minute <number>", "how many it allows", parsePositive)
    .option("--json", "print as JSON");
  addConfigFlags(create, place).action(async (name: string, flags) => {
    const { scope, expires: expiresAt, requestsPerMinute } = flags;
    const wanted = { name, scope, expiresAt, requestsPerMinute };
    const config = configOf(flags);
    const key = await withKeys(config, (files) => createKey(files, wanted));
    await print(flags.json ? JSON.stringify({ key }) : key);
    const where = config.store === "" ? keyFilePath({ path: config.dataDir }) : "the database";
    if (!flags.json)
      console.error(`Keep it: only its hash is stored, in ${where}, and it cannot be shown again.`);
  });

  const list = keys
    .command("list", { isDefault: true })
    .description("all keys, without their secrets")
    .option("--json", "print as JSON, a line each");
  addConfigFlags(list, place).action(async (flags) => {
    const stored = await withKeys(configOf(flags), readKeys);
    if (flags.json) {
      for (const { hash: _, ...key } of stored) await print(JSON.stringify(key));
      return;
    }
    const headings = ["id", "name", "scope", "created", "state"];
    const rows = stored.map((key) => [
      key.id,
      key.name,
      key.scope,
      key.created_at.slice(0, 10),
      stateOf(key),
    ]);
    for (const line of table(headings, rows)) await print(line);
  });

  const revoke = keys
    .command("revoke")
    .description("revoke a key; requests with it are refused from now on")
    .argument("<id>", "as keys list shows it");
  addConfigFlags(revoke, place).action(async (id: string, flags) => {
    const { name } = await withKeys(configOf(flags), (files) => revokeKey(files, id));
    await print(`revoked ${id} (${printable(name)})`);
  });
}

/** The keys, where the servers keep them. */
async function withKeys<T>(
  { dataDir, store: url, storePasswordFile: passwordFile }: Config,
  work: (files: StateFolder) => Promise<T>,
): Promise<T> {
  if (url === "") return work(keyFolder(dataDir));
  const folder = await mkdtemp(join(tmpdir(), "crossmodal-keys-"));
  const connections = connectionsTo({ url, passwordFile });
  const ready = () => connections.write(prepareSchema);
  const state = new SharedState({ connections, folder, server: () => "keys", ready });
  try {
    const files = state.folder("keys");
    await files.refresh();
    return await work(files);
  } finally {
    await state.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function stateOf({ revoked_at, expires_at }: StoredKey): string {
  if (revoked_at !== undefined) return `revoked ${revoked_at.slice(0, 10)}`;
  if (expires_at === undefined) return "valid";
  const expired = new Date(expires_at) <= new Date();
  return `${expired ? "expired" : "valid until"} ${expires_at.slice(0, 16).replace("T", " ")}`;
}

/** `30d`, `12h`, `2027-01-31` -> a time in the future. */
function parseTime(text: string): Date {
  const [, amount, unit] = /^(\d+)([hd])$/.exec(text) ?? [];
  const hours = Number(amount) * (unit === "d" ? 24 : 1);
  const inHours = Date.now() + hours * 3_600_000;
  const atTime = isTime(text) ? Date.parse(text) : Number.NaN; // alone it takes "40" for 2040
  const date = new Date(unit === undefined ? atTime : inHours);
  if (!(date.getTime() > Date.now()))
    throw new InvalidArgumentError("Expected a time in the future, such as 30d or 2027-01-31.");
  return date;
}

function parsePositive(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError(`Expected a whole number above 0 but received "${text}".`);
}
