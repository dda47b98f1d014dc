import type { Modality } from "../encoders/encoder.js";
import { type AppError, invalidInput } from "../errors.js";
import type { Content } from "../inference/content.js";
import { isUrl, type MediaField } from "../media/read-media.js";
import { sniffModality } from "../media/sniff.js";
import { base64Kind, dataUriKind } from "../media/text-kind.js";
import type { MediaMaker } from "./media-content.js";

/**
 * The content of a request's input: an upload by its bytes, a data URI by its type, any other
 * string is a text. `modality` overrides this.
 *
 * An ambiguous string is refused: embedded as a text it would give plausible but wrong numbers.
 * @param param  the input's name, for errors: `input[1]`.
 * @throws AppError `invalid_input`.
 */
export function inputContent(
  input: MediaField,
  modality: Modality | undefined,
  { mediaOf, param }: { mediaOf: MediaMaker; param: string },
): Content {
  if (typeof input !== "string") {
    const kind = modality ?? sniffModality(input);
    if (kind === "text") throw invalidInput(param, "Expected a text but received a file");
    if (kind !== undefined) return mediaOf(input, kind, param);
    throw invalidInput(param, "Expected a picture or a sound, but the file's format is unknown");
  }
  if (modality === "text") return { modality, text: input };
  const declared = declaredKind(input, param, modality === undefined);
  if (modality === undefined)
    return declared === undefined
      ? { modality: "text", text: input }
      : mediaOf(input, declared, param);
  if (declared === undefined || declared === modality) return mediaOf(input, modality, param);
  throw invalidInput(param, `Expected ${modality}, as "modality" says, but received ${declared}`);
}

/** The modality of a data URI; undefined for any other unambiguous string. */
function declaredKind(
  input: string,
  param: string,
  mayBeText: boolean,
): "image" | "audio" | undefined {
  const kind = dataUriKind(input);
  if (kind !== undefined || !mayBeText) return kind;
  const [, type] = /^data:([^;,]{0,100})[^,]{0,200};\s*base64\s*,/i.exec(input) ?? [];
  if (type !== undefined)
    throw ambiguous(param, `a data URI of the type "${type.trim().toLowerCase()}"`);
  if (isUrl(input) && !/\s/.test(input.trim())) throw ambiguous(param, "a URL");
  const found = base64Kind(input);
  if (found !== undefined) throw ambiguous(param, `the base64 of ${found}`);
  return undefined;
}

function ambiguous(param: string, received: string): AppError {
  const message =
    `Received ${received}: is it a text, a picture or a sound? Set "modality", or send ` +
    "a data URI (data:image/jpeg;base64,…)";
  return invalidInput(param, message);
}
