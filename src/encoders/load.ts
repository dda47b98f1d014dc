import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { closeAll } from "../close-all.js";
import { audioEncoder, type EncodeWindows } from "./audio-encoder.js";
import { mediaBatch } from "./batch-buckets.js";
import { chooseFiles, fingerprint, spaceOf, weightsOf } from "./choose-files.js";
import { quantizesDynamically } from "./dynamic-quantization.js";
import type { Encoder, Modality } from "./encoder.js";
import { dimensionsIn, readHead } from "./head.js";
import { imageEncoder } from "./image-encoder.js";
import type { LoadOptions } from "./load-options.js";
import type { DataType, Manifest } from "./manifest.js";
import { verifiedPackFile } from "./pack-files.js";
import { withOptions } from "./pack-space.js";
import { startTokenizer, type Tokenizer } from "./preprocess/tokenizer-thread.js";
import { readManifest } from "./read-manifest.js";
import { openSession, type Session } from "./session.js";
import { textEncoder } from "./text-encoder.js";
import type { Tower } from "./tower.js";
import { withBatching } from "./with-batching.js";
import { withCache } from "./with-cache.js";
import { withHead } from "./with-head.js";

/** What is loaded for one modality, as shown by `/v1/models`. */
interface TowerReport {
  modality: Modality;
  dtype: DataType;
  file: string;
  provider: string;
  fallbackReason?: string;
}

/** A pack whose towers are live. */
export interface LoadedPack {
  manifest: Manifest;
  space: string;
  encoders: { text?: Encoder<"text">; image?: Encoder<"image">; audio?: Encoder<"audio"> };
  encodeWindows?: EncodeWindows;
  tokenizer?: Tokenizer;
  towers: TowerReport[];
  /** Why it cannot answer at the moment. */
  troubles(): string[];
  dispose(): Promise<void>;
}

/**
 * Loads packs; towers made of the same files (the starter packs' text trunk) are loaded once and
 * shared.
 */
export class PackLoader {
  readonly #options: LoadOptions;
  readonly #trunks = new Map<string, { trunk: Promise<TextTrunk>; users: number }>();

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /**
   * @param manifestPath  a `manifest.json`; the pack's files are beside it.
   * @throws AppError `model_corrupt` when a file is missing or is not the one the manifest names.
   */
  async load(manifestPath: string): Promise<LoadedPack> {
    const manifest = withOptions(await readManifest(manifestPath), this.#options);
    const folder = dirname(manifestPath);
    const { media, cache, maxBatch } = this.#options;
    const chosen = chooseFiles(manifest, this.#options.dtype);
    const space = spaceOf(manifest, chosen);
    const sessions: Session[] = [];
    const troubles = () => sessions.flatMap(({ trouble }) => trouble ?? []);
    const pack: LoadedPack = {
      manifest,
      space,
      encoders: {},
      towers: [],
      troubles,
      dispose: async () => {},
    };
    const disposers: (() => Promise<void>)[] = [];
    pack.dispose = async () => {
      await closeAll(...disposers);
    };

    try {
      for (const [modality, { dtype, file }] of chosen) {
        const section = manifest.towers[modality]!;
        const report = (session: Session) => {
          sessions.push(session);
          const { provider, fallbackReason } = session.info;
          pack.towers.push({ modality, dtype, file: file.path, provider, fallbackReason });
        };
        const target = { modelId: manifest.id, space };
        const head =
          section.head && readHead(await readFile(await verifiedPackFile(folder, section.head)));
        const dimensions = head === undefined ? manifest.dimensions : dimensionsIn(head);
        const open = async (): Promise<Tower> => {
          const { device, threads, log } = this.#options;
          for (const data of file.data ?? []) await verifiedPackFile(folder, data);
          const model = await verifiedPackFile(folder, file);
          const oneByOne = await quantizesDynamically(model);
          const name = `The ${modality} tower of "${manifest.id}"`;
          const session = await openSession({ model, device, threads }, { name, log });
          return { ...target, dimensions, session, outputs: section.outputs, oneByOne };
        };
        const finish = <M extends Modality>(encoder: Encoder<M>): Encoder<M> => {
          disposers.push(() => encoder.dispose());
          return withCache(head === undefined ? encoder : withHead(encoder, head, target), cache);
        };

        if (modality === "text") {
          const key = fingerprint([
            weightsOf(file),
            manifest.towers.text!.preprocess,
            section.outputs,
          ]);
          const { encoder, tokenizer, session } = await this.#sharedTrunk(key, async () => {
            const { preprocess } = manifest.towers.text!;
            const path = await verifiedPackFile(folder, preprocess.tokenizer);
            const tokenizer = await startTokenizer(path, preprocess, { name: manifest.id });
            const tower = await open().catch(async (error) => {
              await tokenizer.close();
              throw error;
            });
            // Shared between packs: neither its embeddings nor its metrics belong to one
            const name = `trunk@${key.slice(0, 8)}`;
            const own = head === undefined ? {} : { space: name, modelId: name };
            const trunk = textEncoder({ ...tower, ...own }, tokenizer, preprocess);
            return {
              encoder: withBatching(trunk, { maxBatch }),
              tokenizer,
              session: tower.session,
            };
          });
          report(session);
          pack.tokenizer = tokenizer;
          pack.encoders.text = finish({
            ...encoder,
            ...target,
            dispose: () => this.#releaseTrunk(key),
          });
        } else if (modality === "image") {
          const tower = await open();
          report(tower.session);
          const encoder = imageEncoder(tower, manifest.towers.image!.preprocess, media);
          const batching = { maxBatch: mediaBatch(maxBatch, tower.session) };
          pack.encoders.image = finish(withBatching(encoder, batching));
        } else {
          const tower = await open();
          report(tower.session);
          const batching = { maxBatch: mediaBatch(maxBatch, tower.session) };
          const { preprocess } = manifest.towers.audio!;
          const made = audioEncoder(tower, preprocess, { media, ...batching });
          const { encoder, encodeWindows } = made;
          pack.encoders.audio = finish(withBatching(encoder, batching));
          pack.encodeWindows = encodeWindows;
        }
      }
    } catch (error) {
      await pack.dispose();
      throw error;
    }
    return pack;
  }

  #sharedTrunk(key: string, make: () => Promise<TextTrunk>): Promise<TextTrunk> {
    let entry = this.#trunks.get(key);
    if (entry === undefined) {
      entry = { trunk: make(), users: 0 };
      this.#trunks.set(key, entry);
      entry.trunk.catch(() => this.#trunks.delete(key));
    }
    entry.users++;
    return entry.trunk;
  }

  async #releaseTrunk(key: string): Promise<void> {
    const entry = this.#trunks.get(key);
    if (entry === undefined || --entry.users > 0) return;
    this.#trunks.delete(key);
    await (await entry.trunk).encoder.dispose();
  }
}

interface TextTrunk {
  encoder: Encoder<"text">;
  tokenizer: Tokenizer;
  session: Session;
}
