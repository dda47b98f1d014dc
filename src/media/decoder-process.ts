import { decodeAudio } from "./audio/decode-audio.js";
import { decodeImage } from "./image/decode-image.js";
import { serveDecoding } from "./serve-decoding.js";

// One process of decoding-pool.ts. It is given bytes and gives back tensors: it needs neither files
// nor the network, but for what ffmpeg decodes.

serveDecoding({ decodeImage, decodeAudio });
