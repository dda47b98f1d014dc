import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Command } from "commander";
import { chunksOf } from "../client/lines.js";
import { AppError } from "../errors.js";
import type { ArchiveContents } from "../files/content-archive.js";
import { newFile } from "../files/new-file.js";
import { checkBackup } from "../index/embedded/backup-file.js";
import { restoreBackup } from "../index/embedded/restore-backup.js";
import { onTarget } from "./on-target.js";
import { addConfigFlags, configOf } from "./options.js";
import { print } from "./output.js";
import { CommandError } from "./target.js";

/** `crossmodal backup`, `restore` and `compact`: the collections of a data folder as a whole. */
export function backupCommands(program: Command): void {
  const backup = program
    .command("backup")
    .description("copy all collections to one file, even while the server runs")
    .argument("<file>")
    .option("--force", "replace the file if it exists");
  onTarget(backup, { models: false }, async (target, flags, file: string) => {
    const copy = await newFile(file, { replace: flags.force === true });
    try {
      const hash = createHash("sha256");
      for await (const chunk of chunksOf(await target.send("/v1/backup"))) {
        hash.update(chunk);
        await copy.write(chunk);
      }
      let media: ArchiveContents = { count: 0, damaged: [] };
      await copy.publish((part) => {
        media = checkBackup(part).media;
      });
      warnOfDamage(media);
      const { size } = await stat(file);
      const sha256 = hash.digest("hex");
      await print(
        flags.json
          ? JSON.stringify({ file, size, sha256, media: media.count })
          : `${file}: ${size} bytes${withMedia(media)}, verified`,
      );
    } finally {
      await copy.discard();
    }
  });

  const restore = program
    .command("restore")
    .description(
      "replace a data folder's collections with a backup; no server may be running on it",
    )
    .argument("<file>")
    .option("--force", "replace existing collections")
    .option("--json", "print the result as JSON");
  addConfigFlags(restore, ["dataDir"]).action(async (file: string, flags) => {
    const { dataDir, store } = configOf(flags);
    if (store !== "") {
      const message = "A backup is restored to a data folder; leave out the option store";
      throw new CommandError(message, { code: "invalid_input" });
    }
    const replace = flags.force === true;
    const { media } = await restoreBackup(file, dataDir, { replace }).catch((error) => {
      if (!(error instanceof AppError) || error.code !== "already_exists") throw error;
      throw new CommandError(`${error.message}; replace them with --force`, { code: error.code });
    });
    warnOfDamage(media);
    await print(
      flags.json
        ? JSON.stringify({ file, data_dir: dataDir, media: media.count })
        : `restored ${file}${withMedia(media)} to ${dataDir}`,
    );
  });

  const compact = program
    .command("compact")
    .description("free the disk space of deleted items and tidy the indexes");
  onTarget(compact, { models: false }, async (target, flags) => {
    await target.compact();
    await print(flags.json ? JSON.stringify({ compacted: true }) : "compacted");
  });
}

const withMedia = ({ count }: ArchiveContents) => (count === 0 ? "" : `, ${count} kept media`);

function warnOfDamage({ damaged, count }: ArchiveContents): void {
  if (damaged.length === 0) return;
  const which = damaged.slice(0, 5).join(", ") + (damaged.length > 5 ? ", …" : "");
  console.error(
    `warning: ${damaged.length} of ${count} kept media are damaged: ` +
      `add their items again (sha256 ${which})`,
  );
}
