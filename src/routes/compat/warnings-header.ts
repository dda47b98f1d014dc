import type { Context } from "hono";
import type { ClassifiedContents } from "../../inference/classify-contents.js";
import { classifyContents } from "../../inference/classify-contents.js";
import type { Content } from "../../inference/content.js";
import type { LabelQuery } from "../../inference/label-plan.js";
import type { Services } from "../../services.js";
import type { ForeignContext } from "./shape.js";

const header = "X-Crossmodal-Warnings";
/** Characters of a header that every client and proxy takes. */
const maxCharacters = 4000;

/**
 * Reports decoding warnings in a header, since other products' answers have no field for them:
 * `X-Crossmodal-Warnings: ["inputs[0]: The file is cut short …"]`, JSON in ASCII.
 * @param warnings  of each content.
 */
export function warnInHeader(
  c: ForeignContext,
  contents: readonly Content[],
  warnings: readonly (readonly string[] | undefined)[],
): void {
  const all = contents.flatMap((content, i) =>
    (warnings[i] ?? []).map((one) =>
      content.modality === "text" ? one : `${content.param}: ${one}`,
    ),
  );
  if (all.length === 0) return;
  const shown: string[] = [];
  for (const one of all) {
    if (asciiJson([...shown, one]).length > maxCharacters) break;
    shown.push(one);
  }
  const further = all.length - shown.length;
  if (further > 0) shown.push(`${further} further warnings`);
  c.header(header, asciiJson(shown));
}

/** Adds one to the header, after those of the contents. */
export function addWarning(c: Context, warning: string): void {
  const before = JSON.parse(c.res.headers.get(header) ?? "[]") as string[];
  c.header(header, asciiJson([...before, warning]));
}

/** Scores contents for an answer in another product's shape. */
export async function classifyForeign(
  services: Services,
  query: LabelQuery,
  contents: readonly Content[],
  c: ForeignContext,
): Promise<ClassifiedContents> {
  const classified = await classifyContents(services, query, contents, c.get("signal"));
  warnInHeader(
    c,
    contents,
    classified.scored.map(({ warnings }) => warnings),
  );
  return classified;
}

const asciiJson = (value: unknown) =>
  JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
