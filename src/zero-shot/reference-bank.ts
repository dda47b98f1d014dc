import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Activity } from "../activity.js";
import type { Embedding, Encoder, ModalityInput } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { writeDurably } from "../files/write-durably.js";
import type { Log } from "../log.js";
import { type Rows, rowsOf } from "../math/rows.js";
import { readSafetensors, writeSafetensors } from "../math/safetensors.js";
import { inBulk } from "../priority.js";
import { Recent } from "../recent.js";
import { startWorker } from "../workers/start-worker.js";
import type { BackgroundBatch } from "./background-worker.js";
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
  readonly #activity: Activity;
  readonly #backgroundCount: number;
  readonly #rows = new Recent<Rows>(maxRemembered);
  /** Inputs of each background that is being embedded. */
  readonly #embedded = new Map<string, number>();

  /**
   * @param parts.folder  `<dataDir>/cache`
   * @param backgroundCount  inputs of each modality; fewer only in tests.
   */
  constructor(
    { folder, log, activity }: { folder: string; log: Log; activity: Activity },
    backgroundCount = shippedBackground,
  ) {
    this.#folder = folder;
    this.#log = log;
    this.#activity = activity;
    this.#backgroundCount = backgroundCount;
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
    const key = backgroundKey(pack.space, modality);
    return this.remembered(key, async () => {
      const name = JSON.stringify(key);
      try {
        return await this.#embedBackground(pack.encoders[modality] as Encoder, modality, (count) =>
          this.#embedded.set(name, count),
        );
      } finally {
        this.#embedded.delete(name);
      }
    });
  }

  /** How much of the shipped background is embedded in a space, out of `total`. */
  backgroundProgress(space: string, modality: "image" | "audio") {
    const key = backgroundKey(space, modality);
    const isKept = existsSync(this.#pathOf(bankKey(key)));
    const embedded = isKept
      ? this.#backgroundCount
      : (this.#embedded.get(JSON.stringify(key)) ?? 0);
    return { embedded, total: this.#backgroundCount };
  }

  /** The next inputs are made in a thread while the last ones are embedded. */
  async #embedBackground(
    encoder: Encoder,
    modality: "image" | "audio",
    onProgress: (count: number) => void,
  ): Promise<Rows> {
    const worker = startWorker(new URL("./background-worker.js", import.meta.url));
    const asked: BackgroundBatch = { modality, total: this.#backgroundCount, size: batch };
    const make = () => {
      const made = worker.call<ModalityInput[typeof modality][]>("next", asked);
      made.catch(() => undefined); // the one that is made when an embedding fails
      return made;
    };
    try {
      const embeddings: Embedding[] = [];
      for (let next = make(); ; ) {
        const inputs = await next;
        if (inputs.length === 0) return rowsOf(embeddings);
        next = make();
        embeddings.push(...(await encoder.encode(inputs)));
        onProgress(embeddings.length);
      }
    } finally {
      await worker.terminate();
    }
  }

  /**
   * Rows that are computed once for all callers, as bulk work, and kept in a file; a failure is not
   * cached. Their models stay until they are computed, also when nobody waits any more.
   */
  remembered(parts: readonly string[], make: () => Promise<Rows>): Promise<Rows> {
    const key = bankKey(parts);
    return this.#rows.get(key, () => this.#activity.during(inBulk(() => this.#kept(key, make))));
  }

  async #kept(key: string, make: () => Promise<Rows>): Promise<Rows> {
    const path = this.#pathOf(key);
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

  #pathOf(key: string): string {
    const name = createHash("sha256").update(key).digest("hex").slice(0, 24);
    return join(this.#folder, `${name}.safetensors`);
  }
}

const bankKey = (parts: readonly string[]) => JSON.stringify([bankVersion, ...parts]);

const backgroundKey = (space: string, modality: "image" | "audio") => [
  "background",
  space,
  modality,
];
