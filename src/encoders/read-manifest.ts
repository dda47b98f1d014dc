import { readFile } from "node:fs/promises";
import { AppError } from "../errors.js";
import { Manifest } from "./manifest.js";

/** @throws AppError `model_corrupt` saying what is wrong with the file. */
export async function readManifest(path: string): Promise<Manifest> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new AppError(
      "model_corrupt",
      `The manifest "${path}" cannot be read: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  const result = Manifest.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError(
    "model_corrupt",
    `The manifest "${path}" is wrong at "${issue.path.join(".")}": ${issue.message}`,
  );
}
