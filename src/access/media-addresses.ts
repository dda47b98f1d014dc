import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { AppError } from "../errors.js";
import type { Access } from "./access.js";

const hourMs = 3_600_000;
/** Addresses stay the same for this long, so that a browser's cache can be used. */
const sameMs = 600_000;

/** Milliseconds since 1970, by a clock that never goes back. */
const sinceStart = () => performance.timeOrigin + performance.now();

/** The collection in each, and an item or an archive. */
const mediaPaths = {
  item: /^\/v1\/collections\/([^/]+)\/items\/([^/]+)\/media$/,
  archive: /^\/v1\/collections\/([^/]+)\/media\/archives\/([^/]+)$/,
};
type Kind = keyof typeof mediaPaths;

/**
 * Where the kept media of items, or archives of them, are read: a path below the server's address.
 * Where keys are needed it is signed and expires after an hour or a little more, as `<img>` and
 * `<audio>` send no key.
 * Addresses end with the secret, which is the process's, and so do not follow a clock that is set.
 */
export class MediaAddresses {
  readonly #access: Pick<Access, "needsKey">;
  readonly #now: () => number;
  readonly #secret: Uint8Array;

  /** @param options.secret  of 32 bytes: addresses signed with another are refused. */
  constructor(
    access: Pick<Access, "needsKey">,
    {
      secret = randomBytes(32),
      now = sinceStart,
    }: { secret?: Uint8Array; now?: () => number } = {},
  ) {
    this.#access = access;
    this.#secret = secret;
    this.#now = now;
  }

  /** Of an item of that collection; undefined for one without media. */
  of(collection: string, { id, media }: { id: string; media?: object }): string | undefined {
    if (media === undefined) return undefined;
    const [name, item] = [collection, id].map(encodeURIComponent);
    const path = `/v1/collections/${name}/items/${item}/media`;
    return path + this.#signature("item", collection, id);
  }

  /** Of an archive of media of that collection. */
  ofArchive(collection: string, archive: string): string {
    const [name, id] = [collection, archive].map(encodeURIComponent);
    const path = `/v1/collections/${name}/media/archives/${id}`;
    return path + this.#signature("archive", collection, archive);
  }

  /**
   * Whether a request comes by a signed address, which stands for a key with the scope "read".
   * @param path  as the routes match it.
   * @throws AppError `unauthorized` when it has expired or the signature is not of this server.
   */
  accepts(method: string, path: string, query: Record<string, string>): boolean {
    const { signature } = query;
    const kind = (Object.keys(mediaPaths) as Kind[]).find((one) => mediaPaths[one].test(path));
    if (signature === undefined || kind === undefined || !["GET", "HEAD"].includes(method))
      return false;
    const parts = mediaPaths[kind].exec(path)!.slice(1);
    const expires = Number(query.expires);
    const expected = Buffer.from(this.#sign(kind, ...decoded(parts), expires));
    const received = Buffer.from(signature);
    const isValid = received.length === expected.length && timingSafeEqual(received, expected);
    if (isValid && expires * 1000 > this.#now()) return true;
    throw new AppError("unauthorized", "The signed address has expired: request it again", {
      param: "signature",
    });
  }

  /** The end of an address; empty where no key is needed. */
  #signature(kind: Kind, collection: string, id: string): string {
    if (!this.#access.needsKey) return "";
    const expires = Math.ceil((this.#now() + hourMs) / sameMs) * (sameMs / 1000);
    return `?expires=${expires}&signature=${this.#sign(kind, collection, id, expires)}`;
  }

  #sign(kind: Kind, collection: string, id: string, expires: number): string {
    const signed = JSON.stringify([kind, collection, id, expires]);
    return createHmac("sha256", this.#secret).update(signed).digest("base64url");
  }
}

function decoded(parts: readonly string[]): [collection: string, id: string] {
  try {
    return parts.map(decodeURIComponent) as [string, string];
  } catch {
    return ["", ""]; // malformed: never signed
  }
}
