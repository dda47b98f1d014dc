import { z } from "zod";
import { AppError, invalidInput } from "../../errors.js";
import { checkInputCount } from "../../inference/embed-contents.js";
import type { Services } from "../../services.js";
import { listOf, optional, withDefault } from "../../wire/field-types.js";
import { foreignBody } from "./foreign-body.js";
import type { ForeignContext } from "./shape.js";

export const TokenizeBody = z.strictObject({
  inputs: z.union([z.string(), listOf(z.string(), { max: 100_000 })]),
  add_special_tokens: withDefault(z.boolean(), true),
  prompt_name: optional(z.never()),
});
const Id = z.int().min(0);
/** More than any context has. */
const Ids = listOf(Id, { max: 100_000 });
export const DecodeBody = z.strictObject({
  ids: z.union([Ids, listOf(Ids, { max: 100_000 })]),
  skip_special_tokens: withDefault(z.boolean(), true),
});

export const Tokens = z.array(
  z.object({
    id: z.int(),
    text: z.string(),
    special: z.boolean(),
    start: z.null(),
    stop: z.null(),
  }),
);

/**
 * `POST /tokenize`: the tokens that the model sees, after truncation; without their positions.
 */
export async function tokenize(services: Services, c: ForeignContext): Promise<Response> {
  const { inputs, add_special_tokens: withSpecial } = await foreignBody(c, TokenizeBody);
  const signal = c.get("signal");
  const tokenizer = tokenizerOf(services);
  const texts = typeof inputs === "string" ? [inputs] : inputs;
  if (texts.length === 0) throw invalidInput("inputs", '"inputs" is empty');
  checkInputCount(texts.length, services.config.maxInputs, "inputs");
  const rows = await tokenizer.tokenize(texts, signal);
  const ids = rows.flat();
  const decode = (skipSpecial: boolean) =>
    tokenizer.decode(
      ids.map((id) => ({ ids: [id], skipSpecial })),
      signal,
    );
  const [all, plain] = [await decode(false), await decode(true)];
  const tokens = ids.map((id, i) => {
    const special = plain[i] === "" && all[i] !== "";
    return { id, text: all[i], special, start: null, stop: null };
  });
  let next = 0;
  return c.json(
    rows.map(({ length }) => {
      next += length;
      const row = tokens.slice(next - length, next);
      return withSpecial ? row : row.filter(({ special }) => !special);
    }),
  );
}

/** `POST /decode` */
export async function decode(services: Services, c: ForeignContext): Promise<Response> {
  const { ids, skip_special_tokens: skipSpecial } = await foreignBody(c, DecodeBody);
  if (ids.length === 0) throw invalidInput("ids", '"ids" is empty');
  const rows = (typeof ids[0] === "number" ? [ids] : ids) as number[][];
  checkInputCount(rows.length, services.config.maxInputs, "ids");
  const requests = rows.map((row) => ({ ids: row, skipSpecial }));
  return c.json(await tokenizerOf(services).decode(requests, c.get("signal")));
}

function tokenizerOf({ packs }: Services) {
  const { tokenizer, manifest } = packs.find(undefined, "text");
  if (tokenizer !== undefined) return tokenizer;
  throw new AppError("no_path", `The model "${manifest.id}" has no tokenizer`, { param: "inputs" });
}
