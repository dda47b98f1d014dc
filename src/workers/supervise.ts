import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import type { Callable } from "./remote.js";
import type { WorkerCallOptions, WorkerHandle } from "./start-worker.js";

export interface SupervisedOptions {
  /** Its name in messages: "the store". */
  name: string;
  /** Starts a thread; resolves once it serves. */
  start(): Promise<WorkerHandle>;
  log?: Log;
  /** Before the second attempt in a row; it doubles with each further one. Default 1,000. */
  firstWaitMs?: number;
}

const longestWaitMs = 30_000;
/** A thread that served for this long is restarted at once when it ends. */
const steadyMs = 60_000;

/**
 * A worker thread that is restarted when it ends unexpectedly: at once, then after doubling waits.
 * Running calls, and those that arrive before it serves again, fail with `unavailable`. A thread is
 * never terminated from here: while ONNX Runtime runs, that would take the whole process down.
 */
export class SupervisedWorker implements Callable {
  readonly #options: SupervisedOptions;
  #worker: WorkerHandle | undefined;
  #starting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempts = 0;
  #lastFailure: unknown;
  #closing = false;

  private constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  /** @throws as `start`: the first start is not retried. */
  static async start(options: SupervisedOptions): Promise<SupervisedWorker> {
    const supervised = new SupervisedWorker(options);
    supervised.#serve(await options.start());
    return supervised;
  }

  /** Why it does not serve at the moment, for `/health/ready`. */
  get trouble(): string | undefined {
    if (this.#worker !== undefined || this.#closing) return undefined;
    const { name } = this.#options;
    const failure = this.#lastFailure;
    const why = failure instanceof AppError ? ` (${failure.message})` : "";
    return `${name} stopped unexpectedly and is being restarted${why}`;
  }

  /**
   * @throws AppError `unavailable` while there is no thread, with the reason if known.
   */
  call<T>(method: string, args: unknown, options?: WorkerCallOptions): Promise<T> {
    if (this.#worker !== undefined) return this.#worker.call<T>(method, args, options);
    if (this.#lastFailure instanceof AppError) return Promise.reject(this.#lastFailure);
    const message = `${this.#options.name} stopped unexpectedly and is being restarted; try again`;
    return Promise.reject(new AppError("unavailable", message, { retryAfterSeconds: 1 }));
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#starting;
    await this.#worker?.close();
  }

  #serve(worker: WorkerHandle): void {
    const since = performance.now();
    this.#worker = worker;
    this.#lastFailure = undefined;
    void worker.exited.then((error) => {
      if (this.#closing) return;
      const { log, name } = this.#options;
      log?.error({ err: error.cause ?? error }, `${name} stopped unexpectedly; restarting it`);
      this.#worker = undefined;
      if (performance.now() - since > steadyMs) this.#attempts = 0;
      this.#restart();
    });
  }

  #restart(): void {
    const { firstWaitMs = 1000, log, name, start } = this.#options;
    const doublings = this.#attempts++ - 1;
    const waitMs = doublings < 0 ? 0 : Math.min(longestWaitMs, firstWaitMs * 2 ** doublings);
    const attempt = async () => {
      try {
        const worker = await start();
        this.#serve(worker);
        if (!this.#closing) log?.info({ attempts: this.#attempts }, `${name} serves again`);
      } catch (error) {
        this.#lastFailure = error;
        if (this.#closing) return;
        log?.error({ err: error }, `${name} could not be restarted`);
        this.#restart();
      }
    };
    this.#timer = setTimeout(() => {
      this.#starting = attempt();
    }, waitMs);
    this.#timer.unref();
  }
}
