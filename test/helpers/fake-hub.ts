import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";

/** What one request for a file meets instead of the file. */
export interface Mishap {
  /** Answered by the hub itself, before any redirect. */
  status?: number;
  headers?: Record<string, string>;
  /** The connection is closed after so many bytes of the body. */
  breakAfter?: number;
  /** The connection is reset at about so many bytes: what is under way is lost. */
  resetAfter?: number;
  /** The body ends in good order after so many bytes. */
  endAfter?: number;
  /** Bytes are sent after so many without an end; only an abort ends it. */
  hangAfter?: number;
  /** Other bytes of the same length. */
  wrong?: true;
  /** A Range is answered with 200 and everything. */
  ignoreRange?: true;
  /** A Range is answered with 206 and another range. */
  otherRange?: true;
  /** After the bytes, more of them without an end. */
  endless?: true;
  /** The hub sends on to this URL. */
  redirect?: string;
}

export interface SeenRequest {
  server: "hub" | "files";
  path: string;
  headers: IncomingHttpHeaders;
}

interface Repo {
  commit: string;
  license?: string;
  files: Map<string, Buffer>;
  gated?: { token: string };
}

/** Weights lie on another host, as on the hub. */
const isLfs = (path: string) => /\.(onnx|safetensors)$|\.onnx_data/.test(path);
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const gitSha1 = (bytes: Buffer) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/**
 * A hub on 127.0.0.1: the listing of `/api/models/…`, files at `/…/resolve/…`, and for those in LFS
 * a redirect to a second server (another origin) under a URL with a signature. That server answers
 * 400 to whoever brings it a token.
 */
export class FakeHub {
  readonly requests: SeenRequest[] = [];
  url = "";
  filesUrl = "";
  readonly #repos = new Map<string, Repo>();
  readonly #mishaps: { path: string; mishap: Mishap }[] = [];
  readonly #servers: Server[] = [];

  static async start(): Promise<FakeHub> {
    const hub = new FakeHub();
    hub.url = await hub.#listen((request, response) => hub.#answer(request, response));
    hub.filesUrl = await hub.#listen((request, response) => hub.#answerFile(request, response));
    return hub;
  }

  /** @param from  a folder, or contents by path. */
  addRepo(
    name: string,
    from: string | Record<string, Buffer | string>,
    about: Partial<Omit<Repo, "files">> = {},
  ): Repo {
    const files = new Map<string, Buffer>();
    if (typeof from === "string") {
      for (const entry of readdirSync(from, { recursive: true, encoding: "utf8" })) {
        const path = join(from, entry);
        if (statSync(path).isFile()) files.set(relative(from, path), readFileSync(path));
      }
    } else for (const [path, bytes] of Object.entries(from)) files.set(path, Buffer.from(bytes));
    const commit = about.commit ?? createHash("sha1").update(name).digest("hex");
    const repo = { ...about, commit, files };
    this.#repos.set(name, repo);
    return repo;
  }

  /** The next requests for a path ending in `path` meet these, one each. */
  next(path: string, ...mishaps: Mishap[]): void {
    this.#mishaps.push(...mishaps.map((mishap) => ({ path, mishap })));
  }

  /** Requests for bytes of files, by the path of the file. */
  fetched(path: string): SeenRequest[] {
    return this.requests.filter(
      (request) => request.path.split("?")[0].endsWith(path) && !request.path.startsWith("/api/"),
    );
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    const server = createServer(handler);
    this.#servers.push(server);
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () =>
        resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      );
    });
  }

  #take(path: string): Mishap {
    const at = this.#mishaps.findIndex((entry) => path.endsWith(entry.path));
    return at < 0 ? {} : this.#mishaps.splice(at, 1)[0].mishap;
  }

  #answer(request: IncomingMessage, response: ServerResponse) {
    const path = decodeURIComponent(request.url!.split("?")[0]);
    this.requests.push({ server: "hub", path: request.url!, headers: request.headers });
    const match =
      /^\/(api\/models\/)?([\w.-]+\/[\w.-]+)\/(revision|resolve)\/(refs\/pr\/\d+|[^/]+)(?:\/(.*))?$/.exec(
        path,
      );
    const repo = match === null ? undefined : this.#repos.get(match[2]);
    const mishap = this.#take(path);
    if (mishap.redirect !== undefined) return end(response, 302, { location: mishap.redirect });
    if (mishap.status !== undefined) return end(response, mishap.status, mishap.headers);
    if (match === null || repo === undefined)
      return end(response, 401, { "x-error-code": "RepoNotFound" });
    if (repo.gated !== undefined && request.headers.authorization !== `Bearer ${repo.gated.token}`)
      return end(response, request.headers.authorization === undefined ? 401 : 403, {
        "x-error-code": "GatedRepo",
      });
    const [, api, name, , revision, file] = match;
    if (revision !== "main" && revision !== repo.commit)
      return end(response, 404, { "x-error-code": "RevisionNotFound" });
    if (api !== undefined)
      return mishap.endless ? pour(response) : this.#list(name, repo, response);
    const bytes = repo.files.get(file);
    if (bytes === undefined) return end(response, 404, { "x-error-code": "EntryNotFound" });
    if (!isLfs(file)) return send(request, response, bytes, gitSha1(bytes), mishap);
    // The mishap of a file in LFS happens where it lies.
    if (Object.keys(mishap).length > 0) this.#mishaps.unshift({ path: file, mishap });
    const headers = {
      "x-repo-commit": repo.commit,
      "x-linked-etag": `"${sha256(bytes)}"`,
      "x-linked-size": String(bytes.length),
    };
    const location = `${this.filesUrl}/${name}/${file}?Signature=very-secret`;
    return end(response, 302, { ...headers, location });
  }

  #list(name: string, { commit, license, files }: Repo, response: ServerResponse): void {
    const siblings = [...files].map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.length,
      ...(isLfs(rfilename)
        ? {
            blobId: "0".repeat(40),
            lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 },
          }
        : { blobId: gitSha1(bytes) }),
    }));
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        id: name,
        sha: commit,
        cardData: license === undefined ? {} : { license },
        siblings,
      }),
    );
  }

  #answerFile(request: IncomingMessage, response: ServerResponse) {
    const path = request.url!.split("?")[0];
    this.requests.push({ server: "files", path: request.url!, headers: request.headers });
    if (request.headers.authorization !== undefined) return end(response, 400, {});
    const [, owner, name, ...rest] = path.split("/");
    const bytes = this.#repos.get(`${owner}/${name}`)?.files.get(rest.join("/"));
    if (bytes === undefined) return end(response, 403, {});
    send(request, response, bytes, `cdn-${sha256(bytes).slice(0, 12)}`, this.#take(path));
  }
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end();
}

/** Spaces, which JSON allows, until the client has had enough. */
function pour(response: ServerResponse): void {
  const spaces = Buffer.alloc(2 ** 20, " ");
  const more = () => {
    if (!response.destroyed && response.write(spaces)) setImmediate(more);
  };
  response.on("drain", more);
  more();
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  whole: Buffer,
  etag: string,
  mishap: Mishap,
) {
  if (mishap.status !== undefined) return end(response, mishap.status, mishap.headers);
  const bytes = mishap.wrong ? Buffer.from(whole).fill(0) : whole;
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const current =
    request.headers["if-range"] === undefined || request.headers["if-range"] === `"${etag}"`;
  const ranged = match !== null && current && !mishap.ignoreRange;
  const shift = mishap.otherRange ? 1 : 0;
  const from = ranged ? Number(match[1]) + shift : 0;
  const to = ranged && match[2] !== "" ? Number(match[2]) + 1 + shift : bytes.length;
  if (ranged && from >= bytes.length)
    return end(response, 416, { "content-range": `bytes */${bytes.length}` });
  const part = bytes.subarray(from, to);
  response.statusCode = ranged ? 206 : 200;
  response.setHeader("etag", `"${etag}"`);
  if (ranged)
    response.setHeader("content-range", `bytes ${from}-${from + part.length - 1}/${bytes.length}`);
  if (mishap.endless) {
    response.write(part);
    return pour(response);
  }
  // Without a content-length, a body that ends early looks whole.
  if (mishap.endAfter === undefined) response.setHeader("content-length", part.length);
  const cut = mishap.breakAfter ?? mishap.resetAfter ?? mishap.endAfter ?? mishap.hangAfter;
  if (cut === undefined) {
    response.end(part);
    return;
  }
  response.write(part.subarray(0, cut), () => {
    if (mishap.endAfter !== undefined) response.end();
    else if (mishap.breakAfter !== undefined) response.socket?.destroySoon();
    else if (mishap.resetAfter !== undefined) response.socket?.resetAndDestroy();
  });
}
