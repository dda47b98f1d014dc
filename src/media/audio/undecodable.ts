import { AppError } from "../../errors.js";

/** The file is of a format that is read here, but cannot be decoded. */
export function undecodable(message: string, cause?: unknown): AppError {
  return new AppError("undecodable_media", message, { param: "audio", cause });
}

/** The file is whole, as far as one can tell, but not of a kind that is read here. */
export function unsupported(message: string, cause?: unknown): AppError {
  return new AppError("unsupported_media", message, { param: "audio", cause });
}
