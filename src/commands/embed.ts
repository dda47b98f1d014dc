import type { Command } from "commander";
import { readMediaFile } from "./media-input.js";
import { addTargetFlags, configOf } from "./options.js";
import { progressBar } from "./progress.js";
import { CommandError, jsonPost, openTarget } from "./target.js";

interface Answer {
  model: string;
  space: string;
  data: { embedding: number[] }[];
}

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
    if (files.length + texts.length === 0) throw new CommandError("Nothing to embed: give files or --text");
    const target = await openTarget(configOf(given), given);
    const failures: string[] = [];
    const bar = progressBar(files.length + texts.length, "embedding");
    const embed = async (name: string, body: Record<string, unknown>) => {
      const answer = await target.request<Answer>("/v1/embeddings", jsonPost({ ...body, model: given.model }));
      const { model, space, data } = answer;
      const [{ embedding }] = data;
      console.log(given.json ? JSON.stringify({ input: name, model, space, embedding }) : embedding.join(" "));
    };
    try {
      for (const text of texts) {
        await embed(text, { input: text, modality: "text" });
        bar.step();
      }
      for (const file of files) {
        try {
          const { modality, base64 } = await readMediaFile(file);
          await embed(file, { input: base64, modality });
        } catch (error) {
          if (!(error instanceof CommandError)) throw error;
          failures.push(error.message.startsWith(file) ? error.message : `${file}: ${error.message}`);
        }
        bar.step();
      }
    } finally {
      bar.stop();
      await target.close();
    }
    if (failures.length > 0) throw new CommandError(failures.join("\ncrossmodal: "));
  });
}
