import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { AppError } from "../../src/errors.js";
import { decodeImage } from "../../src/media/image/decode-image.js";
import { goldenBytes, goldenPath } from "./golden.js";
import type { FuzzResult, Seed } from "./mutate.js";

const maxPixels = 4_000_000;

/**
 * A whole picture of every format and variant that is read here; HEIC where it can be written and
 * read.
 */
export async function pictureSeeds(): Promise<Seed[]> {
  const stored = readdirSync(goldenPath("decode/pictures"))
    .sort()
    .map((name) => ({ name, bytes: goldenBytes(`decode/pictures/${name}`) }));
  const heic = await heicSeed();
  return heic === undefined ? stored : [...stored, { name: "heic.heic", bytes: heic }];
}

async function heicSeed(): Promise<Uint8Array | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-fuzz-"));
  try {
    const [from, to] = [join(folder, "in.png"), join(folder, "out.heic")];
    const raw = { width: 64, height: 48, channels: 3 } as const;
    const pixels = Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 7 + (i >> 6)) & 255);
    writeFileSync(from, await sharp(pixels, { raw }).png().toBuffer());
    const { status } = spawnSync("heif-enc", [from, "-o", to]);
    return status === 0 ? new Uint8Array(readFileSync(to)) : undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const byDesign = new Set(["undecodable_media", "unsupported_media", "too_large"]);

/**
 * Decodes a damaged picture: an error by design, or as many pixels as its size says, within the
 * limit.
 */
export async function fuzzPicture(
  bytes: Uint8Array,
): Promise<FuzzResult<"refused" | "warned" | "decoded">> {
  try {
    const { width, height, rgb, warnings } = await decodeImage(bytes, { maxPixels });
    const isWhole = width > 0 && height > 0 && rgb.length === 3 * width * height;
    const fault = isWhole && width * height <= maxPixels ? undefined : `${width} x ${height}`;
    return { outcome: warnings === undefined ? "decoded" : "warned", fault };
  } catch (error) {
    const isByDesign = error instanceof AppError && byDesign.has(error.code);
    return { outcome: "refused", fault: isByDesign ? undefined : String(error) };
  }
}
