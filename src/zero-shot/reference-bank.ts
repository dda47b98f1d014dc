import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Embedding, Encoder, ModalityInput } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { writeDurably } from "../files/write-durably.js";
import type { Log } from "../log.js";
import { type Rows, rowsOf } from "../math/rows.js";
import { readSafetensors, writeSafetensors } from "../math/safetensors.js";
import { inBulk } from "../priority.js";
import { Recent } from "../recent.js";
import { backgroundPictures } from "./background-pictures.js";
import { backgroundSounds } from "./background-sounds.js";
import { classEmbeddings } from "./class-embeddings.js";
import { neutralTexts } from "./neutral-texts.js";
import type { Reference } from "./reference.js";

/** Background inputs of a modality: the least measurable false-alarm rate is 1 / 257. */
const shippedBackground = 256;
/** Part of the file names: changes with the bank. */
const bankVersion = 1;
const batch = 16;
/** Cached template sets, across all spaces. */
const maxRemembered = 32;

/**
 * The shipped neutral texts and background in each space, computed on first use: some seconds once,
 * then a file in the data folder.
 */
export class ReferenceBank {
  readonly #folder: string;
  readonly #log: Log;
  readonly #rows = new Recent<Rows>(maxRemembered);

  /** @param folder  `<dataDir>/cache` */
  constructor({ folder, log }: { folder: string; log: Log }) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Neutral texts in the templates of a request. */
  async neutral(
    pack: LoadedPack,
    modality: "image" | "audio",
    templates: readonly string[],
  ): Promise<Pick<Reference, "neutral" | "neutralTexts">> {
    const texts = neutralTexts[modality];
    const key = ["neutral", pack.space, modality, ...templates];
    const neutral = await this.remembered(key, async () =>
      rowsOf(await classEmbeddings(pack.encoders.text as Encoder<"text">, texts, { templates })),
    );
    return { neutral, neutralTexts: texts };
  }

  /** Embeddings of the shipped background. */
  background(pack: LoadedPack, modality: "image" | "audio"): Promise<Rows> {
    return this.remembered(["background", pack.space, modality], async () => {
      const inputs =
        modality === "image"
          ? backgroundPictures(shippedBackground)
          : backgroundSounds(shippedBackground);
      const encoder = pack.encoders[modality] as Encoder;
      const embeddings: Embedding[] = [];
      let group: ModalityInput[typeof modality][] = [];
      const flush = async () => {
        embeddings.push(...(await encoder.encode(group)));
        group = [];
      };
      for (const input of inputs) {
        group.push(input);
        if (group.length === batch) await flush();
      }
      if (group.length > 0) await flush();
      return rowsOf(embeddings);
    });
  }

  /**
   * Rows that are computed once for all callers, as bulk work, and kept in a file; a failure is not
   * cached.
   */
  remembered(parts: readonly string[], make: () => Promise<Rows>): Promise<Rows> {
    const key = JSON.stringify([bankVersion, ...parts]);
    return this.#rows.get(key, () => inBulk(() => this.#kept(key, make)));
  }

  async #kept(key: string, make: () => Promise<Rows>): Promise<Rows> {
    const name = createHash("sha256").update(key).digest("hex").slice(0, 24);
    const path = join(this.#folder, `${name}.safetensors`);
    if (existsSync(path)) {
      try {
        const { tensors, metadata } = readSafetensors(await readFile(path));
        const { shape, data } = tensors.rows;
        if (metadata.key === key) return { values: data, dimensions: shape[1] };
      } catch (error) {
        this.#log.warn({ err: error, path }, "computed again: its file cannot be read");
      }
    }
    const rows = await make();
    const { values, dimensions } = rows;
    const tensors = { rows: { shape: [values.length / dimensions, dimensions], data: values } };
    await writeDurably(path, writeSafetensors({ tensors, metadata: { key } })).catch((error) =>
      this.#log.warn({ err: error, path }, "not saved: the next start computes it again"),
    );
    return rows;
  }
}
