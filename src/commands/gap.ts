import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import type { Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { readNpy } from "../math/npy.js";
import { gapPage } from "../reports/gap-page.js";
import { gapSvg } from "../reports/gap-svg.js";
import { gapMeasurer } from "../training/gap-measurer.js";
import { onTarget } from "./on-target.js";
import { parseList } from "./options.js";
import type { Target } from "./target.js";
import { readBytes } from "./train-material.js";

/**
 * `crossmodal gap`: the modality gap of two .npy files, which needs no model and no server, or of a
 * collection.
 */
export function gapCommand(program: Command): void {
  const gap = program
    .command("gap")
    .description(
      "measure the modality gap between two .npy files of embeddings, or within a collection",
    )
    .argument("[a]", "rows of the first modality")
    .argument("[b]", "rows of the second")
    .option("--modalities <names>", "the two modalities [image,text]", parseList)
    .option("--unpaired", "row i of one file does not belong to row i of the other")
    .option("--collection <name>", "two modalities of this collection instead of files")
    .option("--pair-by <field>", "metadata field whose equal values make a pair")
    .option("--out <file>", "write the report to a file ending in .html, .svg or .json");
  onTarget(gap, { models: false }, async (target, flags, a?: string, b?: string) => {
    const { out, collection } = flags as { out?: string; collection?: string };
    if (out !== undefined && !/\.(html|svg|json)$/.test(out)) {
      throw new AppError(
        "invalid_input",
        `Expected a file ending in .html, .svg or .json but received "${out}"`,
      );
    }
    if ((collection === undefined) === (a === undefined || b === undefined)) {
      throw new AppError("invalid_input", "Expected two .npy files, or --collection NAME");
    }
    const modalities = flags.modalities as string[] | undefined;
    const report =
      collection === undefined
        ? await ofFiles(a as string, b as string, modalities, flags.unpaired === true)
        : await ofCollection(target, collection, modalities, flags.pairBy);
    if (out !== undefined) {
      await writeFile(
        out,
        out.endsWith(".html")
          ? gapPage(report)
          : out.endsWith(".svg")
            ? gapSvg(report)
            : JSON.stringify(report, undefined, 2),
      );
    }
    if (flags.json) console.log(JSON.stringify(report));
    else {
      const { recall, centered, distinct, sample } = report;
      console.log(
        `centroid gap ${report.centroid_gap.toFixed(4)}, centred ` +
          `${centered.centroid_gap.toFixed(4)}`,
      );
      if (report.paired && (distinct.a < sample.a || distinct.b < sample.b))
        console.log(
          `${distinct.a} and ${distinct.b} different rows among ${sample.a} pairs; equal rows ` +
            "count as right",
        );
      if (recall) {
        const both = (r: typeof recall) =>
          `${r.a_to_b.at_1.toFixed(3)} / ${r.b_to_a.at_1.toFixed(3)}`;
        console.log(
          "recall@1 both ways " +
            `${both(recall)}${centered.recall ? `, centred ${both(centered.recall)}` : ""}`,
        );
      }
    }
  });
}

function ofCollection(
  target: Target,
  collection: string,
  modalities: string[] | undefined,
  pairBy?: string,
) {
  const [a, b] = modalities ?? [];
  const sides = { a_modality: a as Modality, b_modality: b as Modality };
  return target.modalityGap({ collection, pair_by: pairBy, ...sides });
}

async function ofFiles(
  fileA: string,
  fileB: string,
  modalities: string[] | undefined,
  isUnpaired: boolean,
) {
  const [modalityA = "image", modalityB = "text"] = modalities ?? [];
  const [a, b] = [await readSide(fileA, modalityA), await readSide(fileB, modalityB)];
  const sameSize = a.values.length / a.dimensions === b.values.length / b.dimensions;
  const measurer = gapMeasurer();
  return measurer
    .measure({ a, b, paired: !isUnpaired && sameSize })
    .finally(() => measurer.close());
}

async function readSide(file: string, modality: string) {
  const { shape, data } = readNpy(await readBytes(file), file);
  if (shape.length !== 2 || shape[0] === 0 || shape[1] === 0) {
    throw new AppError(
      "invalid_input",
      `Expected rows in ${file} but received the shape (${shape.join(", ")})`,
    );
  }
  return { modality, name: file, values: Float32Array.from(data), dimensions: shape[1] };
}
