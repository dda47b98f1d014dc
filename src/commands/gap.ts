import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { AppError } from "../errors.js";
import { readNpy } from "../math/npy.js";
import { gapMeasurer } from "../training/gap-measurer.js";
import { gapPage } from "../training/gap-page.js";
import { gapSvg } from "../training/gap-svg.js";
import { CommandError } from "./target.js";

/** `crossmodal gap`: the modality gap of two .npy files; needs no model and no server. */
export function gapCommand(program: Command): void {
  program
    .command("gap")
    .description("measure the modality gap between two .npy files of embeddings")
    .argument("<a>", "rows of the first modality")
    .argument("<b>", "rows of the second")
    .option("--modalities <names>", "what the two are", "image,text")
    .option("--unpaired", "row i of the one does not belong to row i of the other")
    .option("--out <file>", "write the report to a file ending in .html, .svg or .json")
    .option("--json", "print the whole report as JSON")
    .action(async (fileA: string, fileB: string, given) => {
      const { out } = given as { out?: string };
      if (out !== undefined && !/\.(html|svg|json)$/.test(out)) {
        throw new AppError("invalid_input", `Expected a file ending in .html, .svg or .json but received "${out}"`);
      }
      const [modalityA, modalityB = "text"] = (given.modalities as string).split(",");
      const [a, b] = [await readSide(fileA, modalityA), await readSide(fileB, modalityB)];
      const sameSize = a.values.length / a.dimensions === b.values.length / b.dimensions;
      const measurer = gapMeasurer();
      const report = await measurer
        .measure({ a, b, paired: given.unpaired === undefined && sameSize })
        .finally(() => measurer.close());
      const json = JSON.stringify(report, undefined, 2);
      if (out !== undefined) {
        await writeFile(out, out.endsWith(".html") ? gapPage(report) : out.endsWith(".svg") ? gapSvg(report) : json);
      }
      if (given.json) console.log(json);
      else {
        const { recall, centered } = report;
        console.log(`centroid gap ${report.centroid_gap.toFixed(4)}, centred ${centered.centroid_gap.toFixed(4)}`);
        if (recall) {
          const both = (r: typeof recall) => `${r.a_to_b.at_1.toFixed(3)} / ${r.b_to_a.at_1.toFixed(3)}`;
          console.log(
            `recall@1 both ways ${both(recall)}${centered.recall ? `, centred ${both(centered.recall)}` : ""}`,
          );
        }
      }
    });
}

async function readSide(file: string, modality: string) {
  const bytes = await readFile(file).catch((error: Error) => {
    throw new CommandError(`${file} cannot be read (${error.message})`);
  });
  const { shape, data } = readNpy(bytes, file);
  if (shape.length !== 2 || shape[0] === 0 || shape[1] === 0) {
    throw new AppError("invalid_input", `Expected rows in ${file} but received the shape (${shape.join(", ")})`);
  }
  return { modality, values: Float32Array.from(data), dimensions: shape[1] };
}
