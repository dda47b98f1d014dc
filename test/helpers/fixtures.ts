import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../fixtures/", import.meta.url));

export const fixture = (path: string) => new Uint8Array(readFileSync(folder + path));
export const fixtureBase64 = (path: string) => readFileSync(folder + path).toString("base64");
/** The label each fixture should get from the starter models. */
export const fixtureLabels = JSON.parse(readFileSync(`${folder}labels.json`, "utf8")) as Record<
  "audio" | "images",
  Record<string, string>
>;
