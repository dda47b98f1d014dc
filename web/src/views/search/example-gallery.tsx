import dogUrl from "../../../../fixtures/audio/dog.mp3?url";
import guitarUrl from "../../../../fixtures/audio/guitar.mp3?url";
import { toast } from "../../components/toasts.js";
import type { FoundFile } from "../../files.js";
import { fileNameOf } from "../../media.js";
import { sentenceOf } from "../../server.js";
import { status } from "../../status.js";
import { ask, askWithMedia } from "./query.js";

/** The name of the collection that the example pictures go to. */
export const galleryName = "gallery";

/** The addresses of the pictures that come with the page, by path. */
const pictures = import.meta.glob<string>("../../../../fixtures/gallery/*.jpg", {
  query: "?url",
  import: "default",
  eager: true,
});

export const galleryCount = Object.keys(pictures).length;

/** @throws TypeError when the server cannot be reached. */
export function galleryFiles(): Promise<FoundFile[]> {
  return Promise.all(
    Object.entries(pictures).map(async ([path, url]) => {
      const name = fileNameOf(path);
      return { file: await fileFrom(url, name, "image/jpeg"), path: name };
    }),
  );
}

async function fileFrom(url: string, name: string, type: string): Promise<File> {
  const answer = await fetch(url);
  if (!answer.ok) throw new TypeError(`${name} cannot be read: ${answer.status}`);
  return new File([await answer.blob()], name, { type });
}

const sentences = ["something to drink", "a bird", "the sea"];
const sounds = [
  ["a dog barking", "dog.mp3", dogUrl],
  ["a guitar", "guitar.mp3", guitarUrl],
] as const;

/** What the example pictures can be asked, at one click. */
export function GalleryQueries() {
  const askSound = (name: string, url: string) =>
    fileFrom(url, name, "audio/mpeg").then(
      (file) => askWithMedia(file, "audio"),
      (error) => toast(sentenceOf(error)),
    );
  const hears = status.value.models.some(({ modalities }) => modalities.includes("audio"));
  return (
    <p class="row gallery-queries">
      <span class="sentence">Try</span>
      {sentences.map((text) => (
        <button key={text} type="button" onClick={() => ask({ text, itemId: undefined })}>
          <i class="square text" aria-hidden="true" />
          {text}
        </button>
      ))}
      {(hears ? sounds : []).map(([label, name, url]) => (
        <button key={name} type="button" onClick={() => askSound(name, url)}>
          <i class="square audio" aria-hidden="true" />
          the sound of {label}
        </button>
      ))}
    </p>
  );
}
