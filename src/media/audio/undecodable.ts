import { AppError } from "../../errors.js";

/** The file has a supported format, but cannot be decoded. */
export function undecodable(message: string, cause?: unknown): AppError {
  return new AppError("undecodable_media", message, { param: "audio", cause });
}

/** The file seems intact, but its kind is not supported. */
export function unsupported(message: string, cause?: unknown): AppError {
  return new AppError("unsupported_media", message, { param: "audio", cause });
}
