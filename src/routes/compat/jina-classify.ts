import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/field-types.js";
import type { LabelScore } from "../../zero-shot/classifier.js";
import { mediaMaker } from "../media-content.js";
import { Scores } from "./answer-fields.js";
import { foreignBody } from "./foreign-body.js";
import { contentOf, Inputs } from "./jina-input.js";
import type { ForeignContext } from "./shape.js";
import { classifyForeign } from "./warnings-header.js";

const Labels = listOf(z.string().min(1), { min: 1, max: 100_000 });
const maxGroups = 64;

export const ClassifyBody = z.strictObject({
  model: optional(z.string()),
  /** A head made from examples, by its name. */
  classifier_id: optional(z.string().min(1)),
  input: Inputs,
  /** One list, or several by the names of groups: each is answered by itself. */
  labels: optional(z.union([Labels, z.record(z.string(), Labels)])),
});

const perGroup = <S extends z.ZodType>(one: S) => z.union([one, z.record(z.string(), one)]);
export const ClassifyAnswer = z.object({
  data: z.array(
    z.object({
      object: z.literal("classification"),
      index: z.int(),
      prediction: perGroup(z.string()),
      score: perGroup(z.number()),
      predictions: perGroup(Scores),
    }),
  ),
  usage: z.object({ total_tokens: z.int() }),
});

/** `POST /v1/classify` */
export async function classify(services: Services, c: ForeignContext): Promise<Response> {
  const { model, classifier_id: head, input, labels } = await foreignBody(c, ClassifyBody);
  if ((labels === undefined) === (head === undefined)) {
    throw invalidInput("labels", 'Expected either "labels" or "classifier_id"');
  }
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const inputs = Array.isArray(input) ? input : [input];
  const contents = inputs.map((one, i) => contentOf(one, mediaOf, `input[${i}]`));
  const other = contents.findIndex(({ modality }) => modality !== contents[0].modality);
  if (other >= 0) {
    const message =
      `Expected ${contents[0].modality} like the first input; send the others in a request of ` +
      "their own";
    throw invalidInput(`input[${other}]`, message);
  }
  const scoresFor = async (list: readonly string[] | undefined) => {
    const query = { model, head, labels: list };
    return (await classifyForeign(services, query, contents, c)).scored;
  };
  const answer = (results: object[]) =>
    c.json({
      data: results.map((result, index) => ({ object: "classification", index, ...result })),
      usage: { total_tokens: 0 },
    });
  if (labels === undefined || Array.isArray(labels)) {
    return answer((await scoresFor(labels)).map(({ scores }) => resultOf(scores)));
  }
  const groups = Object.entries(labels);
  if (groups.length === 0 || groups.length > maxGroups) {
    const message = `Expected 1 to ${maxGroups} groups of labels but received ${groups.length}`;
    throw invalidInput("labels", message);
  }
  const byGroup: [string, ReturnType<typeof resultOf>[]][] = [];
  for (const [name, list] of groups)
    byGroup.push([name, (await scoresFor(list)).map(({ scores }) => resultOf(scores))]);
  const ofEach = (i: number, field: "prediction" | "score" | "predictions") =>
    Object.fromEntries(byGroup.map(([name, results]) => [name, results[i][field]]));
  return answer(
    contents.map((_, i) => ({
      prediction: ofEach(i, "prediction"),
      score: ofEach(i, "score"),
      predictions: ofEach(i, "predictions"),
    })),
  );
}

const resultOf = (scores: readonly LabelScore[]) => ({
  prediction: scores[0].label,
  score: scores[0].score,
  predictions: scores,
});
