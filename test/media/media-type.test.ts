import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { mediaTypeOf } from "../../src/media/media-type.js";

it.each([
  ["images/cat.jpg", "image/jpeg"],
  ["images/astronaut.png", "image/png"],
  ["images/clock.webp", "image/webp"],
  ["images/moon.gif", "image/gif"],
  ["images/rocket.avif", "image/avif"],
  ["images/coins.tiff", "image/tiff"],
  ["audio/burp.wav", "audio/wav"],
  ["audio/sheep.flac", "audio/flac"],
  ["audio/cow.ogg", "audio/ogg"],
  ["audio/thunder.opus", "audio/ogg"],
  ["audio/dog.mp3", "audio/mpeg"],
])("%s is %s", (file, type) => {
  expect(mediaTypeOf(readFileSync(`fixtures/${file}`))).toBe(type);
});

it("looks behind a tag, however long it is", () => {
  const tag = Buffer.alloc(10 + 2 ** 17);
  tag.write("ID3\x04", "latin1");
  tag[7] = 2 ** 17 / 2 ** 14;
  const flac = readFileSync("fixtures/audio/sheep.flac");
  expect(mediaTypeOf(Buffer.concat([tag, flac]))).toBe("audio/flac");
});

it.each([
  ["\x1a\x45\xdf\xa3....B\x82\x84webm", "audio/webm"],
  ["\x1a\x45\xdf\xa3....B\x82\x88matroska", "audio/x-matroska"],
  ["....ftypM4A ", "audio/mp4"],
  ["<svg onload=alert(1)>", "application/octet-stream"],
  ["<!doctype html><script>", "application/octet-stream"],
  ["", "application/octet-stream"],
])("%o is %s", (text, type) => {
  expect(mediaTypeOf(Buffer.from(text, "latin1"))).toBe(type);
});
