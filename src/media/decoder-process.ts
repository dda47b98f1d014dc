import { decodeAudio } from "./audio/decode-audio.js";
import { decodeImage } from "./image/decode-image.js";
import { serveDecoding } from "./serve-decoding.js";

// One process of decoding-pool.ts. It receives bytes and returns tensors: it needs no network, and
// no files but its code and, for what ffmpeg decodes, a folder of its own.

serveDecoding({ decodeImage, decodeAudio });
