import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, createApp } from "../../src/app.js";
import { type Config, loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { createServices, type Services } from "../../src/services.js";
import { checkAnswers } from "./check-answers.js";
import { newDatabase } from "./database.js";

/** The product as `serve` puts it together, without a port. */
export async function startApp(
  overrides: Partial<Config> = {},
): Promise<{ app: App; services: Services }> {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-test-"));
  const store = await newDatabase();
  const testConfig = { dataDir, store, device: "cpu" };
  const config = { ...loadConfig({ environment: {} }), ...testConfig, ...overrides };
  const services = await createServices(config, createLog("silent"));
  await services.ready;
  if (config.store !== "") await services.refreshState(); // as a server does at its start
  return { app: checkAnswers(createApp(services)), services };
}

export const jsonPost = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** A multipart body; a Uint8Array becomes a file, an array the field repeated. */
export function formPost(
  fields: Record<string, string | Uint8Array | readonly string[]>,
): RequestInit {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") form.append(name, value);
    else if (value instanceof Uint8Array)
      form.append(name, new Blob([Uint8Array.from(value)]), "upload");
    else for (const entry of value) form.append(name, entry);
  }
  return { method: "POST", body: form };
}
