import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Services } from "../../services.js";
import { Media } from "../../wire/fields.js";
import { mediaMaker } from "../media-content.js";
import { readBody } from "../read-body.js";
import { readRequest } from "../read-request.js";
import { embedForeign } from "./embed-foreign.js";
import { plainErrors } from "./error-forms.js";
import { foreignBody } from "./foreign-body.js";
import type { Shape } from "./shape.js";

const AudioBody = z.strictObject({ audio: Media });
const TextBody = z.strictObject({ text: z.string().min(1) });

/**
 * An embedding provider for soundspan. Source: soundspan at 067bb4a; the space is the first model's
 * that hears.
 */
export const soundspanShape = (services: Services): Shape => {
  const pack = () => services.packs.find(undefined, "audio", "text");
  return {
    name: "soundspan",
    errors: plainErrors,
    routes: [
      {
        method: "POST",
        path: "/v1/embed/audio",
        answer: async (c) => {
          const signal = c.get("signal");
          const type = c.req.header("content-type") ?? "";
          const isWrapped = /^(multipart\/form-data|application\/json)/i.test(type);
          const audio = isWrapped ? (await readRequest(c, AudioBody)).audio : await readBody(c);
          if (audio.length === 0)
            throw invalidInput("audio", "The body is empty; expected a sound");
          const contents = [mediaMaker(services, signal)(audio, "audio", "audio")];
          const request = { model: pack().manifest.id, param: "audio" };
          const { embeddings } = await embedForeign(services, request, contents, c);
          return c.json({ vector: Array.from(embeddings[0]) });
        },
      },
      {
        method: "POST",
        path: "/v1/embed/text",
        answer: async (c) => {
          const { text } = await foreignBody(c, TextBody);
          const contents = [{ modality: "text" as const, text }];
          const request = { model: pack().manifest.id, param: "text" };
          const { embeddings } = await embedForeign(services, request, contents, c);
          return c.json({ vector: Array.from(embeddings[0]) });
        },
      },
      {
        method: "GET",
        path: "/v1/space",
        answer: (c) => {
          const { manifest, space } = pack();
          const { sampleRateHz } = manifest.towers.audio!.preprocess;
          return c.json({
            family: manifest.family,
            checkpointHash: space,
            dim: manifest.dimensions,
            sampleRateHz,
            preprocessing: space,
            revision: manifest.revision,
          });
        },
      },
    ],
  };
};
