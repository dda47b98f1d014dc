import { startDecodingPool } from "../../src/media/decoding-pool.js";

// A process with two decoders that never come to an end. Of media that may be large only one would
// be decoded at a time.

const entry = new URL("./faulty-decoder.js", import.meta.url);
const media = startDecodingPool({ processes: 2, maxSeconds: 3600, entry });
await Promise.all(
  [1, 2].map((n) => media.decodeImage(new TextEncoder().encode(`spin ${n}`), { maxPixels: 1e6 })),
);
