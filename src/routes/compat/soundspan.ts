import { z } from "zod";
import { AppError, invalidInput } from "../../errors.js";
import { LocalFiles } from "../../media/local-files.js";
import type { Services } from "../../services.js";
import { AnyObject } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { Vector } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import { plainErrors } from "./error-forms.js";
import { foreignBody } from "./foreign-body.js";
import type { ForeignContext, Shape } from "./shape.js";

const AudioBody = z.strictObject({ trackRef: z.string().min(1) });
const TextBody = z.strictObject({ text: z.string().min(1).max(2048) });
const Answer = z.object({ vector: Vector });
const Space = z.object({
  family: z.string(),
  checkpointHash: z.string(),
  dim: z.int(),
  sampleRateHz: z.int(),
  preprocessing: AnyObject,
  revision: z.string(),
  textTower: z.literal(true),
});

/**
 * An embedding provider for soundspan, which names its tracks by their path in the music folder.
 * The space is the first model's that hears. Source: soundspan/soundspan at 067bb4a, the provider's
 * and its client's "wire-contract v1".
 */
export const soundspanShape = (services: Services): Shape => ({
  name: "soundspan",
  ...plainErrors,
  routes: [
    {
      method: "POST",
      path: "/v1/embed/audio",
      body: json(AudioBody),
      returns: json(Answer),
      answer: (c) => embedTrack(services, c),
    },
    {
      method: "POST",
      path: "/v1/embed/text",
      body: json(TextBody),
      returns: json(Answer),
      answer: async (c) => {
        const { text } = await foreignBody(c, TextBody);
        const request = { model: packOf(services).manifest.id, param: "text" };
        const contents = [{ modality: "text" as const, text }];
        const { embeddings } = await embedForeign(services, request, contents, c);
        return c.json({ vector: Array.from(embeddings[0]) });
      },
    },
    {
      method: "GET",
      path: "/v1/space",
      returns: json(Space),
      answer: (c) => c.json(spaceOf(services)),
    },
  ],
});

const packOf = ({ packs }: Services) => packs.find(undefined, "audio", "text");

function spaceOf(services: Services): z.infer<typeof Space> {
  const { manifest, space } = packOf(services);
  const { preprocess } = manifest.towers.audio!;
  return {
    family: manifest.family,
    checkpointHash: space,
    dim: manifest.dimensions,
    sampleRateHz: preprocess.sampleRateHz,
    preprocessing: preprocess,
    revision: manifest.revision,
    textTower: true,
  };
}

async function embedTrack(services: Services, c: ForeignContext): Promise<Response> {
  const { trackRef } = await foreignBody(c, AudioBody);
  const { soundspanMusic: folder, maxBodyBytes } = services.config;
  if (folder === "") {
    const message =
      "Tracks are read from the folder of the option soundspanMusic, which is not set";
    throw invalidInput("trackRef", message);
  }
  const files = await LocalFiles.open([folder], maxBodyBytes);
  const { modality, bytes } = await files.read(trackRef).catch((error) => {
    if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    throw new AppError("not_found", `There is no track "${trackRef.slice(0, 200)}"`);
  });
  if (modality !== "audio") throw invalidInput("trackRef", `"${trackRef}" is not a sound`);
  const signal = c.get("signal");
  const contents = [mediaMaker(services, signal)(bytes, "audio", "trackRef")];
  const request = { model: packOf(services).manifest.id, param: "trackRef" };
  const { embeddings } = await embedForeign(services, request, contents, c);
  return c.json({ vector: Array.from(embeddings[0]) });
}
