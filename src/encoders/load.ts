import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { closeAll } from "../close-all.js";
import { audioEncoder, type EncodeWindows } from "./audio-encoder.js";
import { batchingOf } from "./batch-buckets.js";
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
import { openSession } from "./session.js";
import { type KeptSession, SessionKeeper } from "./session-keeper.js";
import { textEncoder } from "./text-encoder.js";
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
  /** Of its weights. */
  bytes: number;
  /** Whether its graph is in memory; if not, it comes back with the next input. */
  isAwake(): boolean;
}

/** A pack whose towers are live. */
export interface LoadedPack {
  manifest: Manifest;
  /** Milliseconds since 1970. */
  loadedAt: number;
  space: string;
  encoders: { text?: Encoder<"text">; image?: Encoder<"image">; audio?: Encoder<"audio"> };
  encodeWindows?: EncodeWindows;
  tokenizer?: Tokenizer;
  towers: TowerReport[];
  /** Whether its graphs stay in memory. */
  isPinned(): boolean;
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
  readonly #sessions: SessionKeeper;
  /** With the ids of the packs that use each. */
  readonly #trunks = new Map<string, { trunk: Promise<TextTrunk>; users: string[] }>();

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#sessions = options.sessions ?? new SessionKeeper({ idleMs: 0, maxBytes: 0 });
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
    const sessions: KeptSession[] = [];
    const troubles = () => sessions.flatMap(({ trouble }) => trouble ?? []);
    const pack: LoadedPack = {
      manifest,
      loadedAt: Date.now(),
      space,
      encoders: {},
      towers: [],
      isPinned: () => this.#options.isPinned?.(manifest.id) ?? false,
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
        const report = (session: KeptSession) => {
          sessions.push(session);
          const { provider, fallbackReason } = session.info;
          const { bytes } = session;
          const isAwake = () => session.isAwake;
          const where = { file: file.path, provider, fallbackReason };
          pack.towers.push({ modality, dtype, ...where, bytes, isAwake });
        };
        const target = { modelId: manifest.id, space };
        const head =
          section.head && readHead(await readFile(await verifiedPackFile(folder, section.head)));
        const dimensions = head === undefined ? manifest.dimensions : dimensionsIn(head);
        const open = async (users: () => readonly string[]) => {
          const { device, threads, log, isPinned } = this.#options;
          const files = [...(file.data ?? []), file];
          const verified = async () => {
            let path = "";
            for (const one of files) path = await verifiedPackFile(folder, one);
            return path; // of the graph itself
          };
          const name = `The ${modality} tower of "${manifest.id}"`;
          const session = await this.#sessions.open({
            name,
            bytes: files.reduce((sum, { size }) => sum + size, 0),
            open: async () =>
              openSession(
                { model: await verified(), device, threads, isBatched: true },
                { name, log },
              ),
            isPinned: () => users().some((id) => isPinned?.(id)),
          });
          const oneByOne =
            session.info.inputs.some(({ dims }) => dims[0] === 1) ||
            (await quantizesDynamically(join(folder, file.path)));
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
          const { encoder, tokenizer, session } = await this.#sharedTrunk(
            key,
            target.modelId,
            async () => {
              const { preprocess } = manifest.towers.text!;
              const path = await verifiedPackFile(folder, preprocess.tokenizer);
              const tokenizer = await startTokenizer(path, preprocess, { name: manifest.id });
              const users = () => this.#trunks.get(key)?.users ?? [];
              const tower = await open(users).catch(async (error) => {
                await tokenizer.close();
                throw error;
              });
              // Shared between packs: neither its embeddings nor its metrics belong to one
              const name = `trunk@${key.slice(0, 8)}`;
              const names = head === undefined ? {} : { space: name, modelId: name };
              const trunk = textEncoder({ ...tower, ...names }, tokenizer, preprocess);
              return {
                encoder: withBatching(trunk, batchingOf(modality, maxBatch, tower.session)),
                tokenizer,
                session: tower.session,
              };
            },
          );
          report(session);
          pack.tokenizer = tokenizer;
          pack.encoders.text = finish({
            ...encoder,
            ...target,
            dispose: () => this.#releaseTrunk(key, target.modelId),
          });
        } else if (modality === "image") {
          const tower = await open(() => [manifest.id]);
          report(tower.session);
          const encoder = imageEncoder(tower, manifest.towers.image!.preprocess, media);
          const batching = batchingOf(modality, maxBatch, tower.session);
          pack.encoders.image = finish(withBatching(encoder, batching));
        } else {
          const tower = await open(() => [manifest.id]);
          report(tower.session);
          const batching = batchingOf(modality, maxBatch, tower.session);
          const { preprocess } = manifest.towers.audio!;
          const towerEncoder = audioEncoder(tower, preprocess, { media, ...batching });
          const { encoder, encodeWindows } = towerEncoder;
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

  #sharedTrunk(key: string, id: string, make: () => Promise<TextTrunk>): Promise<TextTrunk> {
    let entry = this.#trunks.get(key);
    if (entry === undefined) {
      entry = { trunk: make(), users: [] };
      this.#trunks.set(key, entry);
      entry.trunk.catch(() => this.#trunks.delete(key));
    }
    entry.users.push(id);
    return entry.trunk;
  }

  async #releaseTrunk(key: string, id: string): Promise<void> {
    const entry = this.#trunks.get(key);
    if (entry === undefined) return;
    entry.users.splice(entry.users.indexOf(id), 1);
    if (entry.users.length > 0) return;
    this.#trunks.delete(key);
    await (await entry.trunk).encoder.dispose();
  }
}

interface TextTrunk {
  encoder: Encoder<"text">;
  tokenizer: Tokenizer;
  session: KeptSession;
}
