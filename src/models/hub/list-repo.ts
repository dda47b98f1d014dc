import { z } from "zod";
import { AppError } from "../../errors.js";
import type { HubClient } from "./hub-client.js";
import { readAtMost } from "./read-at-most.js";
import { HubTrouble, withRetries } from "./retry.js";

/** A file as announced by the hub, before it is downloaded. */
export interface HubFile {
  path: string;
  size?: number;
  /** Of files kept in LFS (all weights). */
  sha256?: string;
  /** Git's name for the content of the other, small files: sha1("blob <size>\0" + bytes). */
  gitSha1?: string;
}

export interface HubListing {
  repo: string;
  /** The commit that the revision stood for: what the files are pinned to. */
  commit: string;
  license?: string;
  files: HubFile[];
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Answer = z.object({
  sha: z.string().regex(/^[0-9a-f]{7,64}$/),
  cardData: z.object({ license: z.union([z.string(), z.array(z.string())]).optional() }).nullish(),
  siblings: z.array(
    z.object({
      rfilename: z.string().min(1),
      size: z.int().nonnegative().optional(),
      blobId: z
        .string()
        .regex(/^[0-9a-f]{40}$/)
        .optional(),
      lfs: z
        .object({ sha256: sha256.optional(), oid: sha256.optional(), size: z.int().nonnegative() })
        .nullish(),
    }),
  ),
});

/** A file takes about 300 bytes of it: model repositories hold hundreds, not fifty thousand. */
const maxListingBytes = 16 * 2 ** 20;

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/**
 * The files of a repository at a revision (branch, tag or commit). Source: the hub's OpenAPI
 * description, `GET /api/models/{repo}/revision/{revision}?blobs=true`.
 *
 * @throws AppError as HubClient.get does, `hub_failed` when the answer is not such a listing.
 */
export function listRepo(
  client: HubClient,
  repo: string,
  revision: string,
  signal?: AbortSignal,
): Promise<HubListing> {
  const path = `/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  return withRetries(
    async () => {
      const answer = await client.get(path, { signal });
      const bytes = await readAtMost(answer.body, maxListingBytes).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw new HubTrouble(`The listing of ${repo} broke off`, { cause: error });
      });
      if (bytes === undefined) {
        const message =
          `${client.settings.endpoint} answered with more than ${maxListingBytes} bytes ` +
          `instead of a listing of ${repo}`;
        throw new AppError("hub_failed", message);
      }
      const result = Answer.safeParse(parsed(bytes));
      if (!result.success) {
        const message =
          `${client.settings.endpoint} did not answer with a listing of ${repo}: is HF_ENDPOINT ` +
          "a hub?";
        throw new AppError("hub_failed", message, { cause: result.error });
      }
      const { sha, cardData, siblings } = result.data;
      return {
        repo,
        commit: sha,
        license: [cardData?.license].flat()[0],
        files: siblings.map(({ rfilename, size, blobId, lfs }) =>
          lfs
            ? { path: rfilename, size: lfs.size, sha256: lfs.sha256 ?? lfs.oid }
            : { path: rfilename, size, gitSha1: blobId },
        ),
      };
    },
    { ...client.retry, signal },
  );
}
