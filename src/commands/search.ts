import { type Command, Option } from "commander";
import type { SearchAnswer } from "../wire/search.js";
import { readMediaFile } from "./media-input.js";
import { onTarget } from "./on-target.js";
import { parseJsonObject, parseNumber } from "./options.js";
import { print } from "./output.js";
import { printWarnings } from "./print-warnings.js";
import { table } from "./table.js";
import { CommandError } from "./target.js";

/** `crossmodal search`: the nearest items to a text, picture, sound or stored item, best first. */
export function searchCommand(program: Command): void {
  const command = program
    .command("search")
    .description("find the items nearest to a text, a picture, a sound or another item")
    .argument("<collection>", "its name")
    .option("--text <text>", "find items by a description")
    .option("--image <file>", "find items like a picture; - is standard input")
    .option("--audio <file>", "find items like a sound; - is standard input")
    .option("--item <id>", "find items like a stored one")
    .option("--top-k <n>", "how many results", parseNumber, 10)
    .option(
      "--filter <json>",
      'only items that match, e.g. \'{"field": "year", "op": "gte", "value": 2020}\'',
      parseJsonObject,
    )
    .addOption(
      new Option("--modality <name>", "only items of this modality").choices([
        "text",
        "image",
        "audio",
      ]),
    )
    .option("--min-similarity <n>", "only items at least this similar (cosine)", parseNumber)
    .option(
      "--min-relevance <share>",
      "for a text: the smallest share of neutral queries that a result must beat",
      parseNumber,
    )
    .addOption(
      new Option("--recall <how>", "accuracy against speed")
        .choices(["exact", "high", "fast"])
        .default("high"),
    )
    .option("--centering", "correct the modality gap in collections of several modalities")
    .option("--cursor <text>", "continue after a page: the next_cursor of its --json answer");
  onTarget(command, { models: true, stored: true }, async (target, flags, name: string) => {
    const body = {
      ...(await queryOf(flags)),
      top_k: flags.topK,
      filter: flags.filter,
      modality: flags.modality,
      min_similarity: flags.minSimilarity,
      min_relevance: flags.minRelevance,
      recall: flags.recall,
      centering: flags.centering,
      cursor: flags.cursor,
    };
    const answer = await target.search(name, body);
    if (flags.json) await print(JSON.stringify(answer));
    else for (const line of describe(answer)) await print(line);
    printWarnings(answer.warnings, flags.audio ?? flags.image ?? name);
  });
}

async function queryOf(flags: Record<string, string | undefined>): Promise<Record<string, string>> {
  const named = (["text", "image", "audio", "item"] as const).filter(
    (name) => flags[name] !== undefined,
  );
  if (named.length !== 1) {
    const found = named.map((name) => `--${name}`).join(" and ") || "none";
    const message = `Expected one of --text, --image, --audio and --item but received ${found}`;
    throw new CommandError(message, { code: "invalid_input" });
  }
  const [kind] = named;
  const value = flags[kind]!;
  if (kind === "text") return { text: value };
  if (kind === "item") return { item_id: value };
  const { modality, base64 } = await readMediaFile(value);
  if (modality !== kind)
    throw new CommandError(`${value} is not what --${kind} takes; give it as --${modality}`);
  return { [kind]: base64 };
}

function describe({ path, plan, results, next_cursor }: SearchAnswer): string[] {
  const rows = results.map(({ id, similarity, modality, metadata, source }, i) => [
    i + 1,
    similarity.toFixed(3).padStart(6),
    id,
    modality,
    Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : (source ?? ""),
  ]);
  const lines =
    results.length === 0
      ? ["nothing found"]
      : table(["rank", "cosine", "id", "modality", "metadata or source"], rows);
  const more = next_cursor === undefined ? "" : ", more available";
  return [...lines, `path: ${path.join(" > ") || "stored item"} (${plan}${more})`];
}
