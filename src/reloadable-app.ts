import { Access } from "./access/access.js";
import { Audit } from "./access/audit.js";
import { checkAccess } from "./access/check-access.js";
import { type App, createApp } from "./app.js";
import { compareConfigs } from "./config/reload.js";
import type { Config } from "./config.js";
import { packsOf } from "./encoders/packs.js";
import { checkModels } from "./services/load-packs.js";
import type { Services } from "./services.js";
import type { ReloadAnswer } from "./wire/server.js";

export interface ReloadableAppOptions {
  access: Access;
  /** Reads the configuration again, from its original source. */
  reread: () => Config;
}

/**
 * The routes of a server, which are rebuilt when its configuration is read again. A running request
 * finishes in the routes that it reached; connections stay open.
 */
export class ReloadableApp {
  readonly #reread: () => Config;
  #access: Access;
  #services: Services;
  #app: App;
  #reloading: Promise<unknown> = Promise.resolve();

  /** @throws AppError as what uses an option. */
  constructor(services: Services, { access, reread }: ReloadableAppOptions) {
    this.#reread = reread;
    this.#access = access;
    this.#services = services;
    this.#app = this.#make(services, access);
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
    const { config, changed, needsRestart } = compareConfigs(before, this.#reread());
    const { models, log, audit } = this.#services;
    Audit.check(config.auditFile);
    const access = new Access(config, this.#services.keys, audit);
    await access.refresh();
    checkAccess(config, access);
    checkModels(config);
    const packs = packsOf(this.#services.packs.list(), config.aliases);
    const services = { ...this.#services, config, packs };
    const app = this.#make(services, access);
    const { loaded, unloaded } = await models.reconfigure(before, config);
    // Nothing fails from here on.
    services.use({ config, packs });
    this.#access.replaceBy(access);
    this.#access = access;
    this.#services = services;
    this.#app = app;
    audit.use(config.auditFile);
    log.info({ changed, needsRestart, loaded, unloaded }, "configuration reloaded");
    return { changed, needs_restart: needsRestart, models: { loaded, unloaded } };
  }

  #make(services: Services, access: Access): App {
    return createApp(services, access, () => this.reload());
  }
}
