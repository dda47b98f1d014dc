import { Access } from "./access/access.js";
import { type App, createApp } from "./app.js";
import { compareConfigs } from "./config/reload.js";
import type { Config } from "./config.js";
import { packsOf } from "./encoders/packs.js";
import { checkAliases } from "./services/load-packs.js";
import { startFetcher } from "./services/start-media.js";
import type { Services } from "./services.js";
import type { ReloadAnswer } from "./wire/server.js";

export interface ReloadableAppOptions {
  access: Access;
  /** Reads the configuration again, from its original source. */
  reread: () => Config;
  /** @throws AppError when the server would be reachable by more clients than is allowed. */
  checkAccess: (config: Config, access: Access) => void;
}

/**
 * The routes of a server, which are rebuilt when its configuration is read again. A running request
 * finishes in the routes that it reached; connections stay open.
 */
export class ReloadableApp {
  readonly #options: ReloadableAppOptions;
  #services: Services;
  #app: App;
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(services: Services, options: ReloadableAppOptions) {
    this.#options = options;
    this.#services = services;
    this.#app = this.#make(services, options.access);
  }

  readonly fetch: App["fetch"] = (...args) => this.#app.fetch(...args);

  /** The one in use. */
  get config(): Config {
    return this.#services.config;
  }

  /**
   * Applies what it can, all or nothing; one reload after the other.
   * @throws AppError as `loadConfig`, and as what uses an option: then nothing has changed.
   */
  reload(): Promise<ReloadAnswer> {
    const reloading = this.#reloading.then(() => this.#reload());
    this.#reloading = reloading.catch(() => undefined);
    return reloading;
  }

  async #reload(): Promise<ReloadAnswer> {
    const before = this.#services.config;
    const { config, changed, needsRestart } = compareConfigs(before, this.#options.reread());
    const { packs, models, log } = this.#services;
    const access = new Access(config, this.#services.keys);
    await access.refresh();
    this.#options.checkAccess(config, access);
    const aliased = packsOf(packs.list(), checkAliases(config));
    const fetchMedia = startFetcher(config);
    const services = { ...this.#services, config, packs: aliased, fetchMedia };
    const app = this.#make(services, access);

    const loaded: string[] = [];
    try {
      for (const id of config.models) if ((await models.load(id)).isNew) loaded.push(id);
    } catch (error) {
      for (const id of loaded) models.unload(id);
      throw error;
    }
    const isLoaded = (id: string) => packs.list().some(({ manifest }) => manifest.id === id);
    const unloaded = before.models.filter((id) => !config.models.includes(id) && isLoaded(id));
    for (const id of unloaded) models.unload(id);
    for (const id of before.pinnedModels) models.pin(id, false);
    for (const id of config.pinnedModels) models.pin(id, true);
    this.#services = services;
    this.#app = app;
    log.info({ changed, needsRestart, loaded, unloaded }, "configuration reloaded");
    return { changed, needs_restart: needsRestart, models: { loaded, unloaded } };
  }

  #make(services: Services, access: Access): App {
    return createApp(services, access, () => this.reload());
  }
}
