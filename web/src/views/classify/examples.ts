import dogUrl from "../../../../fixtures/audio/dog.mp3?url";
import sceneUrl from "../../../../fixtures/audio/scene.opus?url";
import thunderUrl from "../../../../fixtures/audio/thunder.opus?url";
import catUrl from "../../../../fixtures/images/cat.jpg";
import rocketUrl from "../../../../fixtures/images/rocket.avif";
import templeUrl from "../../../../fixtures/images/temple.jpg";
import peaks from "./example-peaks.json";

export interface Example {
  id: string;
  title: string;
  /** Its place in the repository, as the commands to copy name it. */
  path: string;
  url: string;
  modality: "image" | "audio";
  labels: readonly string[];
  /** Of a sound, in percent of the loudest. */
  peaks?: readonly number[];
}

/** What is understood at one click; the files come with the page. */
export const examples: readonly Example[] = [
  {
    id: "scene",
    title: "a farm in the rain",
    path: "fixtures/audio/scene.opus",
    url: sceneUrl,
    modality: "audio",
    labels: ["rain", "cow", "piano", "crow", "thunder", "speech"],
    peaks: peaks.scene,
  },
  {
    id: "dog",
    title: "dog.mp3",
    path: "fixtures/audio/dog.mp3",
    url: dogUrl,
    modality: "audio",
    labels: ["dog barking", "cat meowing", "sheep", "rain", "piano"],
    peaks: peaks.dog,
  },
  {
    id: "thunder",
    title: "thunder.opus",
    path: "fixtures/audio/thunder.opus",
    url: thunderUrl,
    modality: "audio",
    labels: ["thunder", "rain", "fireworks", "drums", "wind", "waves"],
    peaks: peaks.thunder,
  },
  {
    id: "cat",
    title: "cat.jpg",
    path: "fixtures/images/cat.jpg",
    url: catUrl,
    modality: "image",
    labels: ["cat", "dog", "tiger", "cup of coffee", "person"],
  },
  {
    id: "rocket",
    title: "rocket.avif",
    path: "fixtures/images/rocket.avif",
    url: rocketUrl,
    modality: "image",
    labels: ["space rocket", "airplane", "lighthouse", "church", "the moon"],
  },
  {
    id: "temple",
    title: "temple.jpg",
    path: "fixtures/images/temple.jpg",
    url: templeUrl,
    modality: "image",
    labels: ["palace", "mosque", "lighthouse", "bridge", "ship"],
  },
];
