import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Frame, FrameReader, writeFrame } from "../../src/media/frames.js";

function bytesOf(message: unknown, buffers: Uint8Array[]): Buffer {
  const stream = new PassThrough({ highWaterMark: 1e6 });
  writeFrame(stream, message, buffers);
  return stream.read();
}

describe("frames", () => {
  it("arrive as they were sent, in whatever pieces", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.jsonValue(), fc.array(fc.uint8Array({ maxLength: 40 })))),
        fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
        (frames, sizes) => {
          const sent = Buffer.concat(frames.map((frame) => bytesOf(...frame)));
          const received: Frame[] = [];
          // Beyond any of these frames: one in 7,000 has more than 1,000 bytes
          const reader = new FrameReader(2 ** 20, (frame) => received.push(frame));
          for (let at = 0; at < sent.length; ) {
            const size = sizes.next().value;
            reader.push(sent.subarray(at, at + size));
            at += size;
          }
          expect(received).toEqual(
            frames.map(([message, buffers]) => ({
              message: JSON.parse(JSON.stringify(message)),
              buffers,
            })),
          );
        },
      ),
    );
  });

  it.each([
    ["too large", bytesOf({}, [new Uint8Array(2000)])],
    ["a length beyond the limit", Buffer.from([255, 255, 255, 255])],
    ["no JSON", Buffer.from([1, 0, 0, 0, 123])],
    ["no sizes", Buffer.from([2, 0, 0, 0, 123, 125])],
  ])("are refused: %s", (_, bytes) => {
    expect(() => new FrameReader(1000, () => undefined).push(bytes)).toThrow();
  });
});
