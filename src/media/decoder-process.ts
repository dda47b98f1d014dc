import { decodeAudio } from "./audio/decode-audio.js";
import { decodeImage } from "./image/decode-image.js";
import { serveDecoding } from "./serve-decoding.js";

// One process of decoding-pool.ts. It gets bytes and returns tensors: it needs neither files nor
// the network, except for ffmpeg.

serveDecoding({ decodeImage, decodeAudio });
