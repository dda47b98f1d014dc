import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Config } from "../config.js";
import { AppError, invalidInput } from "../errors.js";
import type { Log } from "../log.js";

/** As `node:tls` takes them. */
export interface KeyPair {
  cert: Buffer;
  key: Buffer;
}

/** How often the files are checked; a renewed certificate has days to spare. */
const lookEveryMs = 5000;

/** A certificate and its key, in files that may be replaced while the server runs. */
export class TlsFiles {
  pair: KeyPair;
  readonly #files: Pick<Config, "tlsCert" | "tlsKey">;

  private constructor(files: Pick<Config, "tlsCert" | "tlsKey">, pair: KeyPair) {
    this.#files = files;
    this.pair = pair;
  }

  /**
   * @returns undefined where neither file is configured: HTTP is served.
   * @throws AppError `invalid_input` when one is missing or the two do not belong together.
   */
  static async open(config: Pick<Config, "tlsCert" | "tlsKey">): Promise<TlsFiles | undefined> {
    if (config.tlsCert === "" && config.tlsKey === "") return undefined;
    if (config.tlsCert === "" || config.tlsKey === "") {
      const missing = config.tlsCert === "" ? "tlsCert" : "tlsKey";
      throw invalidInput(missing, `Expected ${missing} too: HTTPS needs a certificate and its key`);
    }
    return new TlsFiles(config, await readPair(config));
  }

  /**
   * Passes on a new pair whenever the files have changed and match; until then the old one serves.
   * The contents are compared: certbot and Kubernetes replace links, and a change before the first
   * look counts too.
   * @returns ends it.
   */
  watch(onChange: (pair: KeyPair) => void, log: Log, everyMs = lookEveryMs): () => void {
    let complaint: string | undefined;
    const checkFiles = async () => {
      try {
        const pair = await readPair(this.#files);
        complaint = undefined;
        if (pair.cert.equals(this.pair.cert) && pair.key.equals(this.pair.key)) return;
        this.pair = pair;
        onChange(pair);
        log.info({ validTo: new X509Certificate(pair.cert).validTo }, "certificate read again");
      } catch (error) {
        const { message } = error as Error;
        if (message !== complaint)
          log.error({ err: error }, "the new certificate cannot be used; the old one stays in use");
        complaint = message;
      }
    };
    const timer = setInterval(() => void checkFiles(), everyMs).unref();
    return () => clearInterval(timer);
  }
}

async function readPair({ tlsCert, tlsKey }: Pick<Config, "tlsCert" | "tlsKey">): Promise<KeyPair> {
  const read = async (param: string, path: string) =>
    readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw invalidInput(param, `"${path}" cannot be read (${error.code})`, error);
    });
  const cert = await read("tlsCert", tlsCert);
  const key = await read("tlsKey", tlsKey);
  let belongs: boolean;
  try {
    belongs = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    const message =
      `"${tlsCert}" and "${tlsKey}" are not a certificate and a key in PEM: ` +
      `${(cause as Error).message}`;
    throw new AppError("invalid_input", message, { param: "tlsCert", cause });
  }
  if (!belongs)
    throw invalidInput("tlsKey", `"${tlsKey}" is not the key of the certificate in "${tlsCert}"`);
  return { cert, key };
}
