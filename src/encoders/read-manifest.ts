import { AppError } from "../errors.js";
import { readRegularFile } from "../files/read-regular.js";
import { Manifest } from "./manifest.js";

/** A manifest with a thousand files and templates has a few hundred kilobytes. */
const maxBytes = 4 * 2 ** 20;

/** @throws AppError `model_corrupt` saying what is wrong with the file. */
export async function readManifest(path: string): Promise<Manifest> {
  let value: unknown;
  try {
    value = JSON.parse((await readRegularFile(path, maxBytes)).toString("utf8"));
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
    `The manifest "${path}" is invalid at "${issue.path.join(".")}": ${issue.message}`,
  );
}
