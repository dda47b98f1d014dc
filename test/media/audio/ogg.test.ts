import { describe, expect, it } from "vitest";
import { decodeAudio } from "../../../src/media/audio/decode-audio.js";
import { fixture } from "../../helpers/fixtures.js";
import { largestDifference } from "../../helpers/golden.js";
import {
  oggFlacPages,
  oggPacketPages,
  oggPage,
  oggPages,
  withChecksum,
  withSerial,
} from "../../helpers/ogg.js";
import { flacFrameStarts } from "../../helpers/sound-files.js";

const limits = { maxSeconds: 3600 };
const opus = fixture("audio/thunder.opus");
const vorbis = fixture("audio/cow.ogg");
const oggFlac = (() => {
  const flac = fixture("audio/sheep.flac");
  const block = Buffer.from(flac).readUInt16BE(8);
  const pages = oggFlacPages(flac, flacFrameStarts(flac), { block, perPage: 4 });
  return { pages, file: Buffer.concat(pages), plain: decodeAudio(flac, limits), block };
})();
/** In the second page with sound, inside of its third frame. */
const cutAt = oggFlac.pages.slice(0, 4).reduce((sum, { length }) => sum + length, -12_000);
const decode = (bytes: Uint8Array) => decodeAudio(bytes, limits);

/**
 * OpusHead with another gain in dB (RFC 7845, section 5.1: a signed fraction of 256ths at byte 16).
 */
function withGain(decibels: number): Buffer {
  const [first, ...rest] = oggPages(opus);
  first.writeInt16LE(decibels * 256, 28 + 16);
  return Buffer.concat([withChecksum(first), ...rest]);
}

describe("decodeAudio, Ogg", () => {
  it.each([-12, 6])("applies an output gain of %i dB", async (decibels) => {
    const [plain, louder] = [await decode(opus), await decode(withGain(decibels))];
    const factor = 10 ** (decibels / 20);
    expect(
      largestDifference(
        louder.samples,
        plain.samples.map((x) => x * factor),
      ),
    ).toBeLessThan(1e-6);
    expect(louder.warnings).toBeUndefined();
  });

  const uint32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  /** The body of OpusTags with one comment (RFC 7845, section 5.2), or with lengths that lie. */
  const tags = (comment: Uint8Array, { count = 1, length = comment.length } = {}) =>
    Buffer.concat([uint32(0), uint32(count), uint32(length), comment]);
  const picture = Buffer.from(
    `METADATA_BLOCK_PICTURE=${Buffer.alloc(300_000, 0xa5).toString("base64")}`,
  );
  it.each<[string, Buffer]>([
    ["a large picture", tags(picture)],
    ["a picture that claims 4 GB", tags(picture.subarray(0, 100), { length: 0xffff_fff0 })],
    ["4 billion comments", tags(picture.subarray(0, 100), { count: 0xffff_ffff })],
    ["a picture that is not base64", tags(Buffer.from("METADATA_BLOCK_PICTURE=\0\xff%", "latin1"))],
    ["pages of this very stream in its tags", tags(opus)],
  ])("does not look into %s", async (_name, body) => {
    const [head, , ...sound] = oggPages(opus);
    const serial = head.readUInt32LE(14);
    const packet = Buffer.concat([Buffer.from("OpusTags"), body]);
    const tagPages = oggPacketPages(packet, { serial, sequence: 1 });
    const rest = sound.map((page, i) => {
      page.writeUInt32LE(1 + tagPages.length + i, 18);
      return withChecksum(page);
    });
    const [plain, tagged] = [
      await decode(opus),
      await decode(Buffer.concat([head, ...tagPages, ...rest])),
    ];
    expect(tagged.samples).toEqual(plain.samples);
    expect(tagged.warnings).toBeUndefined();
  });

  it("decodes all links of a chain, each at its own rate, of every codec", async () => {
    const [a, b] = [await decode(vorbis), await decode(opus)];
    const chained = await decode(
      Buffer.concat([vorbis, ...withSerial(oggPages(opus), 7), ...withSerial(oggPages(vorbis), 8)]),
    );
    const seconds = 2 * (a.samples.length / a.sampleRateHz) + b.samples.length / b.sampleRateHz;
    expect(chained.sampleRateHz).toBe(48_000);
    expect(Math.abs(chained.samples.length / 48_000 - seconds)).toBeLessThan(1e-4);
    const start = Math.ceil((a.samples.length * 48_000) / 44_100);
    expect(
      largestDifference(chained.samples.subarray(start, start + b.samples.length), b.samples),
    ).toBe(0);
    expect(chained.warnings).toBeUndefined();
  });

  it("mixes simultaneous streams and names what it leaves out, a skeleton excepted", async () => {
    const [first, ...rest] = oggPages(vorbis);
    const skeleton = oggPage(Buffer.concat([Buffer.from("fishead\0"), Buffer.alloc(56)]), {
      serial: 900,
    });
    const theora = oggPage(Buffer.concat([Buffer.from("\x80theora", "latin1"), Buffer.alloc(35)]), {
      serial: 901,
    });
    const skeletonEnd = oggPage(Buffer.alloc(1), { serial: 900, sequence: 1, flags: 4 });
    const plain = await decode(vorbis);
    const both = await decode(
      Buffer.concat([skeleton, theora, first, rest[0], skeletonEnd, ...rest.slice(1)]),
    );
    expect(largestDifference(both.samples, plain.samples)).toBe(0);
    expect(both.samples.length).toBe(plain.samples.length);
    expect(both.warnings).toEqual(["Another stream of the file was skipped: Theora (video)"]);
    const quiet = await decode(
      Buffer.concat([skeleton, first, rest[0], skeletonEnd, ...rest.slice(1)]),
    );
    expect(quiet.warnings).toBeUndefined();
  });

  it.each([["cow.ogg"], ["thunder.opus"]])(
    "decodes the whole pages of %s when it was cut short",
    async (file) => {
      const whole = fixture(`audio/${file}`);
      const pages = oggPages(whole);
      const cut = await decode(whole.subarray(0, whole.length - 1));
      const plain = await decode(whole);
      expect(cut.samples.length).toBeLessThan(plain.samples.length);
      const last = pages[pages.length - 2];
      const preSkip = file.endsWith("opus") ? pages[0].readUInt16LE(28 + 10) : 0;
      expect(cut.samples.length).toBe(Number(last.readBigUInt64LE(6)) - preSkip);
      expect(largestDifference(cut.samples, plain.samples.subarray(0, cut.samples.length))).toBe(0);
      expect(cut.warnings).toEqual([expect.stringContaining("cut short")]);
    },
  );

  it.each([["cow.ogg"], ["thunder.opus"]])(
    "restores a byte of %s that is wrong, wherever it stands, and says so",
    async (file) => {
      const whole = fixture(`audio/${file}`);
      const plain = await decode(whole);
      const [first, second, third] = oggPages(whole).map(({ length }) => length);
      const page = first + second; // the third: its mark, its checksum, its table, its end
      for (const at of [first - 9, page + 1, page + 24, page + 30, page + third - 5]) {
        const damaged = Uint8Array.from(whole);
        damaged[at] ^= 0x55;
        const { samples, warnings } = await decode(damaged);
        expect(largestDifference(samples, plain.samples), String(at)).toBe(0);
        expect(samples.length).toBe(plain.samples.length);
        expect(warnings).toEqual([expect.stringContaining("A wrong byte in 1 page")]);
      }
    },
  );

  it.each([["cow.ogg"], ["thunder.opus"]])(
    "mutes a page of %s that is damaged in more places, in its place",
    async (file) => {
      const pages = oggPages(fixture(`audio/${file}`));
      const plain = await decode(Buffer.concat(pages));
      const middle = pages.length - 2;
      pages[middle].fill(0x4e, pages[middle].length - 50, pages[middle].length - 5);
      const damaged = await decode(Buffer.concat(pages));
      expect(damaged.samples.length).toBe(plain.samples.length);
      const end = plain.samples.length - 1000;
      // Behind the damage a decoder needs a moment to find in again.
      const from = Math.min(end - 1000, plain.samples.length - 3000);
      expect(
        largestDifference(damaged.samples.subarray(from, end), plain.samples.subarray(from, end)),
      ).toBeLessThan(0.01);
      expect(damaged.warnings).toEqual([expect.stringContaining("wrong checksum")]);
    },
  );

  it("says that a packet of Vorbis is none, though its page's checksum is right", async () => {
    const pages = oggPages(vorbis);
    const plain = await decode(vorbis);
    const [page] = pages.splice(-2, 1);
    page[27 + page[26] + page[27]] |= 1; // the second packet; the first is shorter than 255 bytes
    pages.splice(-1, 0, withChecksum(page));
    const { samples, warnings } = await decode(Buffer.concat(pages));
    expect(samples.length).toBe(plain.samples.length);
    expect(warnings).toEqual([expect.stringContaining("1 damaged packet")]);
  });

  it("loses no sound with the tags", async () => {
    for (const file of [opus, oggFlac.file]) {
      const pages = oggPages(file);
      const { samples, warnings } = await decode(Buffer.concat([pages[0], ...pages.slice(2)]));
      expect(largestDifference(samples, (await decode(file)).samples)).toBe(0);
      expect(warnings).toBeUndefined();
    }
  });

  it("decodes a stream whose middle was recorded: it begins at a later position", async () => {
    const pages = oggPages(opus);
    const { samples, warnings } = await decode(
      Buffer.concat([...pages.slice(0, 2), ...pages.slice(4)]),
    );
    const preSkip = pages[0].readUInt16LE(28 + 10);
    const [begin, end] = [pages[3], pages[pages.length - 1]].map((page) =>
      Number(page.readBigUInt64LE(6)),
    );
    expect(samples.length).toBe(end - begin - preSkip);
    expect(warnings).toBeUndefined();
  });

  it("refuses a stream without its headers, with the reason", async () => {
    const pages = oggPages(opus).slice(3);
    await expect(decode(Buffer.concat(pages))).rejects.toMatchObject({
      code: "undecodable_media",
      message: expect.stringContaining("starts in the middle of a stream"),
    });
  });
});

describe("decodeAudio, FLAC in Ogg", () => {
  const { pages, file, plain, block } = oggFlac;

  it("is what it is without Ogg", async () => {
    const { samples, warnings } = await decode(file);
    expect(largestDifference(samples, (await plain).samples)).toBe(0);
    expect(warnings).toBeUndefined();
  });

  it.each([
    ["cut within the second page of sound", (bytes: Buffer) => bytes.subarray(0, cutAt), 6],
    ["cut within the first", (bytes: Buffer) => bytes.subarray(0, cutAt - pages[2].length), 2],
  ])("keeps the whole frames when it is %s", async (_, cut, frames) => {
    const { samples, warnings } = await decode(cut(file));
    expect(samples.length).toBe(frames * block);
    expect(largestDifference(samples, (await plain).samples.subarray(0, samples.length))).toBe(0);
    expect(warnings?.join()).toContain("cut short");
  });

  it.each([
    ["bytes are overwritten", (page: Buffer) => page.fill(0x4e, 3000, 3050)],
    [
      "bytes are missing",
      (page: Buffer) => Buffer.concat([page.subarray(0, 3000), page.subarray(3050)]),
    ],
  ])("loses one frame where %s in a page of four", async (_, damage) => {
    const damaged = pages.map((page, i) => (i === 3 ? damage(Buffer.from(page)) : page));
    const { samples, warnings } = await decode(Buffer.concat(damaged));
    const right = (await plain).samples;
    expect(samples.length).toBe(right.length);
    const lost = 4 * block;
    expect(largestDifference(samples.subarray(0, lost), right.subarray(0, lost))).toBe(0);
    const [rest, of] = [samples, right].map((all) => all.subarray(lost + block));
    expect(largestDifference(rest, of)).toBe(0);
    expect(warnings).toEqual([
      expect.stringContaining("1 damaged frame"),
      expect.stringContaining("wrong checksum"),
    ]);
  });
});
