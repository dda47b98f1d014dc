import type { Command } from "commander";
import { eachInput } from "./each-input.js";
import { type MediaModality, readMediaFile } from "./media-input.js";
import { addTargetFlags, configOf } from "./options.js";
import { printWarnings } from "./print-warnings.js";
import { CommandError, openTarget } from "./target.js";

/** `crossmodal embed`: one embedding a line, as JSON with --json, else as numbers. */
export function embedCommand(program: Command): void {
  const command = program
    .command("embed")
    .description("embed pictures, sounds or texts")
    .argument("[files...]", "pictures or sounds; - is standard input")
    .option("--text <text...>", "texts to embed")
    .option("--model <id>", "model to ask");
  addTargetFlags(command).action(async (files: string[], given) => {
    const texts: string[] = given.text ?? [];
    if (files.length + texts.length === 0)
      throw new CommandError("Nothing to embed: give files or --text", { code: "invalid_input" });
    const target = await openTarget(configOf(given), given);
    try {
      await eachInput([...texts, ...files], "embedding", async (name, position) => {
        const body =
          position < texts.length
            ? { input: name, modality: "text" as const }
            : await mediaBody(name);
        const answer = await target.embeddings({ ...body, model: given.model });
        const { model, space, data } = answer;
        const [{ embedding, warnings }] = data;
        console.log(
          given.json
            ? JSON.stringify({ input: name, model, space, embedding, warnings })
            : (embedding as number[]).join(" "),
        );
        printWarnings(warnings, name);
      });
    } finally {
      await target.close();
    }
  });
}

async function mediaBody(file: string): Promise<{ input: string; modality: MediaModality }> {
  const { modality, base64 } = await readMediaFile(file);
  return { input: base64, modality };
}
